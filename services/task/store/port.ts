/**
 * The SQL of ports that running algorithms offer.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

export interface PortRow {
  id: number;
  result_id: number;
  port: number;
  label: string | null;
}

const portColumns = (tx: Tx) => tx`id, result_id, port, label`;

export async function insertPort(tx: Tx, values: Omit<PortRow, "id">): Promise<PortRow> {
  const [row] = await tx<PortRow[]>`insert into port ${tx({ ...values })} returning ${
    portColumns(tx)
  }`;
  return row!;
}

export async function deletePorts(tx: Tx, resultId: number): Promise<void> {
  await tx`delete from port where result_id = ${resultId}`;
}

export async function portsOfResults(tx: Tx, resultIds: number[]): Promise<PortRow[]> {
  return await tx<PortRow[]>`
    select ${portColumns(tx)} from port where result_id = any(${resultIds}) order by id`;
}
