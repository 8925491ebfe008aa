/**
 * Comparing with other nodes what each was shown of the hub's audit record. The statements go
 * through the hub, which can hold them back, but not write them (`statements.ts`).
 * @module
 */
import { z } from "zod";
import { statementsAnswer } from "../../../shared/node_protocol/witness.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type Checkpoint, readCheckpoint } from "../../../shared/transparency/checkpoint.ts";
import { isSameHash } from "../../../shared/transparency/merkle.ts";
import type { Hub, NodeIdentity } from "../hub/hub.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { checkpointOf } from "./kept.ts";
import { isProven } from "./proofs.ts";
import { openStatements, type OrganizationKeys } from "./statements.ts";
import type { HubWitness } from "./witness.ts";

/** A statement that cannot be compared for so long is one that the hub does not want compared. */
const COMPARED_WITHIN_MS = 86_400_000;
/** Checkpoints of others that are known to agree. */
const MOST_AGREED = 4096;

export interface ExchangeOptions {
  witness: HubWitness;
  hub: Pick<Hub, "request">;
  keys: () => readonly string[];
  identity: NodeIdentity;
  /** Where payloads are encrypted. */
  organization: OrganizationKeys | undefined;
  folder: string;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  signal: AbortSignal;
  now?: () => number;
}

export interface Exchange {
  /** When each other node was last heard to have seen the same record, by its id. */
  readonly agreed: ReadonlyMap<number, string>;
  /** Tells what this node has seen, and looks at what others have. Rejects while it cannot. */
  compare(): Promise<void>;
}

export async function openExchange(options: ExchangeOptions): Promise<Exchange> {
  const { witness, hub, keys, identity, organization, folder, audit, log, signal } = options;
  const { now = Date.now } = options;
  const { kept } = witness;
  const statements = await openStatements(folder, organization);
  const path = `/node/${identity.id}/witness`;
  const agreed = new Map<number, string>();
  /** Checkpoints of others that are proven to be of the record that this node has seen. */
  const same = new Set<string>();
  /** Since when the hub does not let a node's checkpoints be compared, by its id. */
  const waiting = new Map<number, number>();

  async function tell(): Promise<void> {
    const checkpoints = Object.values(kept.checkpoints).map(({ note }) => note);
    if (checkpoints.length === 0) return;
    const body = statements.sign({
      v: 1,
      node_id: identity.id,
      organization_id: identity.organization.id,
      collaboration_id: identity.collaboration.id,
      at: new Date(now()).toISOString(),
      checkpoints,
    });
    await hub.request(path, z.unknown(), { method: "PUT", body, signal });
  }

  /** Whether a checkpoint that another node was shown is of the record that this one has seen. */
  async function isSame(note: string, node: number): Promise<boolean> {
    if (same.has(note)) return true;
    const told = readCheckpoint(note, keys());
    // Signed by a key that is not the hub's any more, or never was one: it shows nothing.
    if (typeof told === "string") return false;
    const { service } = told;
    const mine = kept.checkpoints[service];
    if (!mine) return false;
    if (await isOneRecord(told, checkpointOf(service, mine), { hub, signal })) {
      if (same.size >= MOST_AGREED) same.clear();
      same.add(note);
      return true;
    }
    const problem =
      `Node ${node} was shown ${told.size} records that are not those that this node ` +
      `was shown.`;
    await witness.raise(service, { kind: "split view", problem }, note);
    return false;
  }

  async function areSame(notes: string[], node: number): Promise<boolean> {
    let areAll = true;
    let reason: string | undefined;
    for (const note of notes) {
      areAll = await isSame(note, node).catch((error) => {
        reason = messageOf(error);
        return false;
      }) && areAll;
    }
    if (reason === undefined) {
      waiting.delete(node);
      return areAll;
    }
    const since = waiting.get(node) ?? now();
    waiting.set(node, since);
    if (now() - since > COMPARED_WITHIN_MS) {
      const problem = `What node ${node} was shown could not be compared since ` +
        `${new Date(since).toISOString()}: ${reason}`;
      await witness.raise("nodes", { kind: "split view", problem });
    }
    return false;
  }

  return {
    agreed,
    async compare() {
      await tell();
      const { data } = await hub.request(path, statementsAnswer, { signal });
      for (const other of data) {
        const { node_id: node } = other;
        if (node === identity.id) continue;
        const known = kept.witnesses[node];
        const place = { collaborationId: identity.collaboration.id, known, now: now() };
        const reading = await statements.read(other, place);
        if ("refused" in reading) {
          const problem = `A statement of node ${node} is not believed: ${reading.refused}.`;
          if (reading.otherKey) {
            await witness.raise("nodes", { kind: "other witness", problem }, other.text);
          } else log.debug(problem);
          continue;
        }
        if (known !== other.key) {
          await audit.record("witness seen", { node_id: node, key: other.key });
          kept.witnesses[node] = other.key;
          await witness.save();
        }
        const { checkpoints, at } = reading.statement;
        if (await areSame(checkpoints, node)) agreed.set(node, at);
      }
    },
  };
}

async function isOneRecord(
  told: Checkpoint,
  mine: Checkpoint,
  { hub, signal }: Pick<ExchangeOptions, "hub" | "signal">,
): Promise<boolean> {
  if (told.origin !== mine.origin) return false;
  if (told.size === mine.size) return isSameHash(told.root, mine.root);
  const [first, second] = told.size < mine.size ? [told, mine] : [mine, told];
  return await isProven(hub, first, second, signal);
}
