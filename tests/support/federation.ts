/**
 * Tries an algorithm out in this process: each organization is the text of a CSV file. For tests.
 * @module
 */
import { checkArguments, type Description } from "sextant/description.ts";
import { type Checked, checkResult } from "../../services/node/disclosure/check_result.ts";
import { openTable } from "../../services/node/data/table.ts";
import { answer } from "../../services/node/disclosure/guarded/answer.ts";
import { readQuestion } from "../../services/node/disclosure/guarded/questions.ts";
import { openSession } from "../../services/node/disclosure/guarded/session.ts";
import { aggregatesOf } from "../../services/node/disclosure/guarded/table.ts";
import { columnsOf } from "./columns_of.ts";
import type {
  Aggregates,
  Context,
  DisclosureRules,
  SubtaskResult,
  Table,
} from "../../services/node/algorithms/api.ts";

type Method = (context: Context, kwargs: never) => unknown;
/** An algorithm's module: a package that describes itself, or a single file. */
export type Algorithm = Record<string, Method | Description>;

/** Organizations, each with a table, whose ids are 1, 2, and so on. */
export interface Federation {
  /** Runs a method of `algorithm` as the first organization, as a node does. */
  run(algorithm: Algorithm, method: string, kwargs: Record<string, unknown>): Promise<unknown>;
}

/** Runs a method of `algorithm` as the first of the organizations. */
export async function federate(
  algorithm: Algorithm,
  method: string,
  kwargs: Record<string, unknown>,
  files: string[],
): Promise<unknown> {
  const federation = await createFederation(files);
  return await federation.run(algorithm, method, kwargs);
}

/**
 * Organizations for many runs; `settings` are those of all nodes' owners, and
 * `disclosure` their rules on what may leave, which what an algorithm that describes itself returns
 * is checked against as a node does. `onChecked` hears what became of it.
 */
export async function createFederation(
  files: string[],
  settings: Record<string, unknown> = {},
  disclosure: DisclosureRules | null = null,
  onChecked: (method: string, checked: Checked) => void = () => {},
): Promise<Federation> {
  const columns = await Promise.all(files.map(columnsOf));

  async function run(algorithm: Algorithm, method: string, kwargs: Record<string, unknown>) {
    const tasks: SubtaskResult[][] = [];

    /** With rows, whatever the rules; what is asked of it is answered under them. */
    function tableOf(path: string): Table & Aggregates {
      const table = openTable("default", path);
      const session = openSession(table, disclosure);
      return {
        ...table,
        ...aggregatesOf("default", (asked) =>
          Promise.try(() => {
            const question = readQuestion(asked);
            if (question.ask === "describe") throw new Error("not described here");
            return answer(session, question).value;
          })),
      };
    }

    async function call(organization: number, method: string, kwargs: Record<string, unknown>) {
      const described = (algorithm.description as Description | undefined)?.methods[method];
      const context: Context = {
        organization: { id: organization, name: `org ${organization}` },
        node: { id: organization, name: `node ${organization}` },
        task: { id: 1, runId: 1 },
        settings,
        disclosure,
        table() {
          if (disclosure && described?.rows === "none") throw new Error(`"${method}" has no rows.`);
          return tableOf(columns[organization - 1]!);
        },
        organizations: () =>
          Promise.resolve(files.map((_, i) => ({ id: i + 1, name: `org ${i + 1}` }))),
        async createTask({ organizations, input }) {
          // What leaves a site is JSON, and so is what it is asked.
          const asked = JSON.parse(JSON.stringify(input.kwargs ?? {}));
          tasks.push(
            await Promise.all(organizations.map(async (id) => ({
              organization_id: id,
              status: "completed",
              result: await call(id, input.method, asked),
            }))),
          );
          return { id: tasks.length };
        },
        results: (id) => Promise.resolve(tasks[id - 1]!),
        log() {},
      };
      const args = described ? checkArguments(method, described, { kwargs }) : kwargs;
      const value = await (algorithm[method] as Method)(context, args as never);
      const result = JSON.parse(JSON.stringify(value));
      if (!disclosure || !described || described.rows === "none") return result;
      const { outputs } = described;
      const checked = checkResult(result, { outputs, rules: disclosure, args });
      onChecked(method, checked);
      return checked.result;
    }
    return await call(1, method, kwargs);
  }
  return { run };
}
