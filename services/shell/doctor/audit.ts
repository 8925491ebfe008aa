import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { checkSeals } from "../../../shared/storage/audit_seal.ts";
import { checkTree } from "../../../shared/storage/audit_tree.ts";
import { unknownSeals } from "../../../shared/storage/noted_seals.ts";
import type { Shell } from "../shell.ts";
import { grouped } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const CHANGED =
  "Somebody changed the record in the database. Keep a copy of the tables audit, audit_seal, audit_tile and " +
  "audit_tree_head, and compare with a backup and with the seals and checkpoints that nodes have noted in their " +
  "own audit logs.";

const UNKNOWN =
  "If the databases were restored from a backup, have each data station acknowledge it (deno task node " +
  "accept-record; agents of the version before: remove hub-record.json from the data folder; their own audit " +
  "logs keep what they noted), and acknowledge it here: " +
  "await db.acknowledgeSeals(). If they were not, somebody rewrote the record: compare with a backup.";
const WAITS =
  "An operator has acknowledged it. It ends when the data station removes hub-record.json from its " +
  "data folder.";

/** Seals that data stations know and this hub does not: see `shared/storage/noted_seals.ts`. */
export async function checkNotedSeals({ databases }: Shell): Promise<Finding[]> {
  const seals = await unknownSeals(databases.identity);
  return seals.map(({ node_id, service, number, sha256, acknowledged }) => {
    const check = `audit record seen by node ${node_id}`;
    const finding =
      `it has noted seal ${number} of ${service}, ${sha256.slice(0, 16)}…, which is ` +
      "not the one here";
    return acknowledged ? note(check, finding, WAITS) : wrong(check, finding, UNKNOWN);
  });
}

/** Whether the audit records are what they were when they were sealed. */
export async function checkAudit({ databases }: Shell): Promise<Finding[]> {
  return await Promise.all(HUB_SERVICES.map(async (service) => {
    const { seals, records, unsealed, sha256, problem } = await checkSeals(databases[service]);
    const check = `audit record of ${service}`;
    if (problem !== null) return wrong(check, problem, CHANGED);
    const tree = await checkTree(databases[service]);
    if (tree.problem !== null) return wrong(check, `Its Merkle tree: ${tree.problem}`, CHANGED);
    const newest = sha256 === null ? "" : `; the newest is ${sha256.slice(0, 16)}…`;
    const young = unsealed > 0 ? `; ${grouped(unsealed)} are too new for one` : "";
    const under = `under ${grouped(seals)} seals`;
    return ok(
      check,
      `${grouped(records)} records are as they were sealed, ${under}${newest}${young}${
        tree.root === null
          ? "; there is no Merkle tree yet"
          : `; the tree of ${grouped(tree.records)} has the root ${tree.root}`
      }`,
    );
  }));
}
