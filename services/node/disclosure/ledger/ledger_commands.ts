/**
 * What `deno task node ledger` does: the owner looks at what results have rested on, and clears it.
 * @module
 */
import { userInfo } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../../../shared/command_line/read_args.ts";
import { type NodeDatabase, sourceOf } from "../../data/databases.ts";
import { isAgentThere } from "../../record/agent_status.ts";
import { checkReason, type Said } from "../held_commands.ts";
import { visible } from "../held_text.ts";
import {
  askToClear,
  databaseKeys,
  type LedgerEntry,
  ledgerFolder,
  readClears,
  readEntries,
} from "./files.ts";
import { ledgerKey } from "./selections_of_run.ts";

export const LEDGER_HELP = `       deno task node ledger --config FILE [--database LABEL]
       deno task node ledger clear --config FILE [--database LABEL] --reason TEXT
`;

/** What stands behind `ledger` on the command line. */
export interface LedgerOptions {
  dataFolder: string;
  databases: readonly NodeDatabase[];
  words: string[];
  database?: string | undefined;
  reason?: string | undefined;
}

/** Carries out a command. Throws a {@linkcode UsageError} for one that is none. */
export async function runLedger(
  { dataFolder, databases, words, database: label, reason }: LedgerOptions,
): Promise<Said> {
  const [verb = "list", more] = words;
  if (more !== undefined) throw new UsageError(`"${more}" is one word too many`);
  if (verb !== "list" && verb !== "clear") {
    throw new UsageError(`There is no "ledger ${verb}": it is clear, or nothing to list`);
  }
  const given = verb === "clear" ? checkReason("ledger clear", reason) : "";
  const folder = ledgerFolder(dataFolder);
  const wanted = label === undefined ? null : { key: keyOf(databases, label), label };
  if (verb === "list") return { text: await list(folder, wanted?.key), code: 0 };
  await askToClear(folder, {
    database: wanted,
    reason: given,
    by: userInfo().username,
    at: new Date().toISOString(),
  });
  const what = wanted ? `of the database "${wanted.label}"` : "of all databases";
  const when = await isAgentThere(dataFolder)
    ? "before the next result leaves"
    : "when the agent runs again";
  return { text: `The ledger ${what} is cleared ${when}.`, code: 0 };
}

function keyOf(databases: readonly NodeDatabase[], label: string): string {
  const database = databases.find((one) => one.label === label);
  if (database) return ledgerKey(sourceOf(database));
  const labels = databases.map((one) => one.label).join(", ") || "none";
  throw new UsageError(`There is no database "${label}"; node.yaml has ${labels}`);
}

async function list(folder: string, only: string | undefined): Promise<string> {
  const keys = (await databaseKeys(folder)).filter((key) => only === undefined || key === only);
  const parts: string[] = [];
  for (const key of keys) {
    const entries = await readEntries(join(folder, key));
    if (entries.length > 0) parts.push(showDatabase(entries));
  }
  const clears = keys.length > 0 ? await readClears(folder) : [];
  for (const { clear } of clears) {
    const what = clear.database ? `The one of "${clear.database.label}"` : "All of it";
    parts.push(visible(`${what} is to be cleared, as ${clear.by} has asked at ${clear.at}.`));
  }
  return parts.length === 0 ? "Nothing has left that rests on rows." : parts.join("\n\n");
}

function showDatabase(entries: readonly LedgerEntry[]): string {
  const labels = [...new Set(entries.map(({ label }) => label))].join(", ");
  const count = entries.length === 1 ? "1 selection" : `${entries.length} selections`;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  return [
    `${labels}: results have left that rest on ${count} of persons (${bytes} bytes are kept)`,
    ...entries.map(({ at, persons, unit, task_id, result_id, user_id, organization_id, image }) =>
      `  ${at}  ${String(persons).padStart(8)} ${unit === "persons" ? "persons" : "rows   "}  ` +
      `first for task ${task_id}, run ${result_id}, user ${user_id} of organization ` +
      `${organization_id}, ${image}`
    ),
  ].map((line) => visible(line)).join("\n");
}
