/**
 * Changes of the operator: in one transaction per service with the events that tell of them and the audit's
 * records, all or nothing.
 *
 * Where several services take part, their transactions are open together and are committed one after the other;
 * when a commit fails, what was committed before is undone.
 * @module
 */
import { recordOperatorChanges } from "../../shared/storage/audit.ts";
import type { Tx } from "../../shared/storage/db.ts";
import { EVENT_DATA, eventSubject } from "../../shared/messages/events.ts";
import type { Change, OutboxRow } from "../../shared/storage/outbox.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { ShellError } from "./errors.ts";
import { explain } from "./explain.ts";
import type { Shell } from "./shell.ts";

export interface Unit {
  /** The service's open transaction, or its pool: what sees what this unit has written so far. */
  tx(service: HubService): Tx;
  /** The service's open transaction, with the messages it sends. */
  change(service: HubService): Change;
  /** What undoes a write, should the service's transaction be committed and another's fail. */
  undo(service: HubService, work: (tx: Tx) => Promise<unknown>): void;
  /** Has the node's connections closed once all is committed. */
  shutOut(nodeId: number): void;
}

interface Open {
  change: Change;
  messages: { subject: string; payload: string }[];
  told: { name: string; data: Record<string, unknown> }[];
  rows: OutboxRow[];
  undo: ((tx: Tx) => Promise<unknown>)[];
}

/** Runs `work` in one transaction of each of `services`; the last one named is committed first. */
export async function inUnit<Result>(
  shell: Shell,
  services: HubService[],
  work: (unit: Unit) => Promise<Result>,
): Promise<Result> {
  const open = new Map<HubService, Open>();
  const committed: HubService[] = [];
  const nodes: number[] = [];

  function opened(service: HubService): Open {
    const found = open.get(service);
    if (!found) throw new TypeError(`The unit has no transaction of ${service}`);
    return found;
  }
  const unit: Unit = {
    tx: (service) => open.get(service)?.change.tx ?? shell.databases[service],
    change: (service) => opened(service).change,
    undo: (service, undo) => void opened(service).undo.push(undo),
    shutOut: (nodeId) => void nodes.push(nodeId),
  };

  async function nest(rest: HubService[]): Promise<Result> {
    const [service, ...others] = rest;
    if (service === undefined) {
      const result = await work(unit);
      for (const one of open.values()) await writeMessages(shell, one);
      return result;
    }
    const result = await shell.databases[service].begin(async (tx) => {
      open.set(service, openChange(shell, tx));
      return await nest(others);
    });
    committed.push(service);
    return result as Result;
  }

  let result: Result;
  try {
    result = await nest(services);
  } catch (error) {
    if (committed.length > 0) await undoAll(shell, committed, open, error);
    throw error;
  }
  for (const service of services) {
    await shell.broker?.publish(service, shell.databases[service], opened(service).rows);
  }
  await shell.broker?.shutOut(nodes);
  return result;
}

function openChange(shell: Shell, tx: Change["tx"]): Open {
  const open: Open = {
    messages: [],
    told: [],
    rows: [],
    undo: [],
    change: {
      tx,
      emit(name, data) {
        const content = { at: shell.now().toISOString(), data: EVENT_DATA[name].parse(data) };
        open.told.push({ name, data: content.data });
        open.messages.push({ subject: eventSubject(name), payload: JSON.stringify(content) });
      },
      send(subject, payload) {
        open.messages.push({ subject, payload: JSON.stringify(payload) });
      },
    },
  };
  return open;
}

async function writeMessages(shell: Shell, open: Open): Promise<void> {
  const { tx } = open.change;
  await recordOperatorChanges(tx, shell.operator, open.told);
  for (const message of open.messages) {
    const [row] = await tx<OutboxRow[]>`
      insert into outbox ${tx(message)} returning id, subject, payload`;
    open.rows.push(row!);
  }
}

/** Takes back what is committed already, the newest write first. */
async function undoAll(
  shell: Shell,
  committed: HubService[],
  open: Map<HubService, Open>,
  cause: unknown,
): Promise<void> {
  for (const service of committed) {
    const { undo, rows } = open.get(service)!;
    try {
      await shell.databases[service].begin(async (tx) => {
        await tx`delete from outbox where id = any(${rows.map((row) => row.id)})`;
        for (const work of undo.toReversed()) await work(tx);
      });
    } catch (error) {
      throw new ShellError(
        `${explain(cause)} What was written to ${service} before that could not be undone (${
          explain(error)
        }); look there with sql.${service}`,
        { cause },
      );
    }
  }
}
