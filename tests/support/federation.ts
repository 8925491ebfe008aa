/**
 * Tries an algorithm out in this process: each organization is the text of a CSV file. For tests.
 * @module
 */
import { openTable } from "../../services/node/data/table.ts";
import { createTables } from "../../services/node/data/tables.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { temporaryFolder } from "../harness.ts";
import type { Context, SubtaskResult } from "../../services/node/algorithms/api.ts";

type Method = (context: Context, kwargs: never) => unknown;

/** Runs a method of `algorithm` as the first of the organizations, whose ids are 1, 2, and so on. */
export async function federate(
  algorithm: Record<string, Method>,
  method: string,
  kwargs: Record<string, unknown>,
  files: string[],
): Promise<unknown> {
  const folder = await temporaryFolder();
  const tables = createTables({ folder: `${folder.path}/tables`, namesMayLeave: true });
  const columns = await Promise.all(files.map(async (text, index) => {
    const path = `${folder.path}/${index}.csv`;
    await Deno.writeTextFile(path, text);
    return await tables.read({ type: "csv", path, options: DEFAULT_READ }, { steps: [] });
  }));
  const tasks: SubtaskResult[][] = [];

  async function run(organization: number, method: string, kwargs: Record<string, unknown>) {
    const context: Context = {
      organization: { id: organization, name: `org ${organization}` },
      node: { id: organization, name: `node ${organization}` },
      task: { id: 1, runId: 1 },
      settings: {},
      table: () => openTable("default", columns[organization - 1]!),
      organizations: () =>
        Promise.resolve(files.map((_, i) => ({ id: i + 1, name: `org ${i + 1}` }))),
      async createTask({ organizations, input }) {
        tasks.push(
          await Promise.all(organizations.map(async (id) => ({
            organization_id: id,
            status: "completed",
            result: await run(id, input.method, input.kwargs ?? {}),
          }))),
        );
        return { id: tasks.length };
      },
      results: (id) => Promise.resolve(tasks[id - 1]!),
      log() {},
    };
    const value = await algorithm[method]!(context, kwargs as never);
    return JSON.parse(JSON.stringify(value));
  }
  try {
    return await run(1, method, kwargs);
  } finally {
    await folder.remove();
  }
}
