import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { checkSeals } from "../../../shared/storage/audit_seal.ts";
import type { Shell } from "../shell.ts";
import { grouped } from "../show/words.ts";
import { type Finding, ok, wrong } from "./finding.ts";

const CHANGED =
  "Somebody changed the record in the database. Keep a copy of the tables audit and audit_seal, and compare " +
  "with a backup and with the seals that nodes have noted in their own audit logs.";

/** Whether the audit records are what they were when they were sealed. */
export async function checkAudit({ databases }: Shell): Promise<Finding[]> {
  return await Promise.all(HUB_SERVICES.map(async (service) => {
    const { seals, records, unsealed, sha256, problem } = await checkSeals(databases[service]);
    const check = `audit record of ${service}`;
    if (problem !== null) return wrong(check, problem, CHANGED);
    const newest = sha256 === null ? "" : `; the newest is ${sha256.slice(0, 16)}…`;
    const young = unsealed > 0 ? `; ${grouped(unsealed)} are too new for one` : "";
    const under = `under ${grouped(seals)} seals`;
    return ok(
      check,
      `${grouped(records)} records are as they were sealed, ${under}${newest}${young}`,
    );
  }));
}
