import type { z } from "zod";
import { checkData } from "../../check/data.ts";
import type { NodeConfig } from "../../config/config.ts";
import type { Tables } from "../../data/tables.ts";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { DatabaseFindings, databases } from "../contract.ts";

export interface DatabaseLook {
  /** What was found when somebody last looked, and whether somebody is looking. */
  tell(): z.infer<typeof databases>;
  /** Reads all of them anew, unless that is under way. */
  look(): void;
}

/** Looks at the databases when it is asked to, as `deno task node check` does. */
export function createDatabaseLook(
  config: Pick<NodeConfig, "databases" | "containers" | "shareColumns" | "disclosure">,
  openTables: () => Tables,
): DatabaseLook {
  const found: DatabaseFindings[] = config.databases.map(({ label, type, path }) => ({
    label,
    type,
    path: path ?? null,
    findings: [],
  }));
  let looking: Promise<void> | undefined;
  let looked_at: string | null = null;

  async function lookAtAll(): Promise<void> {
    const tables = openTables();
    for (const [index, database] of config.databases.entries()) {
      const name = `database ${database.label}`;
      try {
        found[index]!.findings = await Array.fromAsync(checkData(database, { config, tables }));
      } catch (error) {
        found[index]!.findings = [{ name, well: false, note: messageOf(error) }];
      }
    }
    looked_at = new Date().toISOString();
  }

  return {
    tell: () => ({ databases: found, looking: looking !== undefined, looked_at }),
    look() {
      looking ??= lookAtAll().finally(() => looking = undefined);
    },
  };
}
