import { checkSeals } from "../../../shared/storage/audit_seal.ts";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "../shell.ts";
import { grouped } from "../show/words.ts";

/** Whether the audit records are what they were when they were sealed. */
export async function checkAudit({ databases }: Shell): Promise<Finding[]> {
  return await Promise.all(HUB_SERVICES.map(async (service): Promise<Finding> => {
    const { seals, records, unsealed, sha256, problem } = await checkSeals(databases[service]);
    const check = `audit record of ${service}`;
    if (problem !== null) {
      return {
        check,
        state: "wrong",
        finding: problem,
        advice:
          "Somebody changed the record in the database. Keep a copy of the tables audit and audit_seal, and compare " +
          "with a backup and with the seals that nodes have noted in their own audit logs.",
      };
    }
    const newest = sha256 === null ? "" : `; the newest is ${sha256.slice(0, 16)}…`;
    return {
      check,
      state: "ok",
      finding:
        `${grouped(records)} records are as they were sealed, under ${
          grouped(seals)
        } seals${newest}` +
        (unsealed > 0 ? `; ${grouped(unsealed)} are too new for one` : ""),
    };
  }));
}
