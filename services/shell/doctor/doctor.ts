/**
 * `db.doctor()`: looks over the hub, and says of everything that is not as it should be what to do.
 * @module
 */
import { harmless } from "../errors.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Addresses } from "../connections.ts";
import { checkAgents } from "./agents.ts";
import { checkAdministrators } from "./administrators.ts";
import { checkDisk } from "./disk.ts";
import { checkAudit, checkNotedSeals } from "./audit.ts";
import { checkBroker } from "./broker.ts";
import { checkDatabases } from "./databases.ts";
import { type Check, type Finding, wrong } from "./finding.ts";
import { checkKeys } from "./keys.ts";
import { checkServices } from "./services.ts";
import { checkWork } from "./work.ts";
import type { Shell } from "../shell.ts";
import { table, terminalWidth } from "../../../shared/command_line/table.ts";

const CHECKS: Record<string, Check> = {
  services: checkServices,
  broker: checkBroker,
  databases: checkDatabases,
  disk: checkDisk,
  administrators: checkAdministrators,
  work: checkWork,
  agents: checkAgents,
  keys: checkKeys,
  audit: checkAudit,
  "audit at nodes": checkNotedSeals,
};

export class Diagnosis {
  constructor(readonly findings: Finding[]) {}

  toJSON(): Finding[] {
    return this.findings;
  }

  [Symbol.for("Deno.customInspect")](): string {
    const rows = this.findings.map(({ check, state, finding }) => ({
      check,
      state,
      finding: harmless(finding, " "),
    }));
    const advice = this.findings.filter((one) => one.advice !== undefined);
    return [
      table(rows, terminalWidth()),
      ...advice.map((one) => `${one.check}: ${harmless(one.finding, " ")}\n  ${one.advice}`),
      advice.length === 0 ? "Nothing to do." : "",
    ].filter((line) => line !== "").join("\n");
  }
}

export async function diagnose(shell: Shell, addresses: Addresses): Promise<Diagnosis> {
  const found = await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => {
      try {
        return await check(shell, addresses);
      } catch (error) {
        const finding = `cannot be looked at: ${messageOf(error)}`;
        return [wrong(name, finding, "Mend that first, then look again.")];
      }
    }),
  );
  return new Diagnosis(found.flat());
}
