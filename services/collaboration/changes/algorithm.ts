/**
 * Changes of what nodes tell of algorithms.
 * @module
 */
import type { ToldAlgorithm } from "../../../shared/node_protocol/algorithms.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { recordDone } from "../../../shared/storage/audit.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { nameInImage } from "../rules.ts";
import { replaceTold, toldByNode, type ToldRow } from "../store/algorithm.ts";

/**
 * Puts what a node tells in place of what it told before. The same once more is no change, and
 * leaves no record.
 */
export async function tellAlgorithms(
  tx: Tx,
  nodeId: number,
  algorithms: ToldAlgorithm[],
): Promise<void> {
  const told = await Promise.all(algorithms.map(toRow));
  told.sort((left, right) => left.image < right.image ? -1 : 1);
  const before = await toldByNode(tx, nodeId);
  const text = (rows: ToldRow[]) => JSON.stringify(rows.map(sameOrder).sort());
  if (text(told) === text(before)) return;
  await replaceTold(tx, nodeId, told);
  const data = { algorithms: told.length };
  await recordDone(tx, "node.algorithms", { noun: "node", id: nodeId }, data);
}

async function toRow(
  { image, digest, description, methods }: ToldAlgorithm,
): Promise<ToldRow> {
  const json = description && JSON.stringify(description);
  const named = nameInImage(image);
  return {
    image,
    digest,
    name: named?.name ?? description?.name ?? null,
    version: named?.version ?? description?.version ?? null,
    description: json,
    description_sha256: json === null ? "" : await sha256Hex(json),
    methods,
  };
}

function sameOrder({ image, digest, description_sha256, methods }: ToldRow): string {
  return JSON.stringify([image, digest, description_sha256, methods]);
}
