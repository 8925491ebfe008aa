/**
 * What is found of one database: by its file, or by its address.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { NodeConfig } from "../config/config.ts";
import type { NodeDatabase } from "../data/databases.ts";
import type { Tables } from "../data/tables.ts";
import { checkDatabase, checkServer } from "./databases.ts";
import { type Finding, finding } from "./finding.ts";
import { checkAddress } from "./network.ts";

export interface CheckDataOptions {
  config: Pick<NodeConfig, "containers" | "shareColumns" | "disclosure">;
  tables: Tables;
}

/** Reads what can be read of it; yields what it holds, and what keeps tasks from using it. */
export async function* checkData(
  database: NodeDatabase,
  { config, tables }: CheckDataOptions,
): AsyncGenerator<Finding> {
  if (!database.path) {
    yield await checkAddress(database, config);
    yield* checkServer(database, tables);
    return;
  }
  const problem = await whyNotReadable(database.path);
  if (problem !== undefined) {
    const advice = "the account that runs the agent must be able to read it";
    yield finding(`database ${database.label}`, false, `${problem}; ${advice}`);
    return;
  }
  const { shareColumns, disclosure } = config;
  yield* checkDatabase(database, { tables, shareColumns, rules: disclosure?.rules ?? null });
}

async function whyNotReadable(path: string): Promise<string | undefined> {
  try {
    if ((await Deno.stat(path)).isDirectory) { for await (const _ of Deno.readDir(path)) break; }
    else (await Deno.open(path)).close();
  } catch (error) {
    return messageOf(error);
  }
}
