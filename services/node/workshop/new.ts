import { join } from "node:path";
import { readArgs, typedPath, UsageError } from "../../../shared/command_line/read_args.ts";

export const NEW_HELP =
  `Makes a package: an algorithm that averages a column, and its test, which passes.

Usage: deno task algorithm new NAME [--in FOLDER]

  NAME          small letters, digits, - and _
  --in FOLDER   where its folder is made; default: the current one`;

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export async function newCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { in: { type: "string" } },
  });
  const [name, more] = positionals;
  if (name === undefined || more !== undefined) throw new UsageError("Give it one name");
  if (!NAME.test(name)) {
    throw new UsageError(`"${name}" cannot be its name: only small letters, digits, - and _`);
  }
  const folder = join(typedPath(values.in ?? "."), name);
  if (await Deno.stat(folder).catch(() => undefined)) {
    throw new Error(`Cannot make ${folder}: it is there already.`);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files(name))) {
    await Deno.writeTextFile(join(folder, file), text);
  }
  console.log(`Made ${folder}. Next:

  deno task algorithm check ${folder}
  deno task algorithm try ${folder} --data ${join(folder, "a.csv")} --data ${
    join(folder, "b.csv")
  } --kwargs '{"column": "age"}' --pooled`);
  return 0;
}

function files(name: string): Record<string, string> {
  return {
    "algorithm.ts": `/**
 * The average of a column over all organizations, from each one's sum and count.
 */
import type { Context, Description } from "sextant/api.ts";
import { combine, type Part } from "./combine.ts";

const column = { type: "column", columnType: "number", label: "Column", help: "What is averaged" } as const;

export const description = {
  name: "${name}",
  version: "0.1.0",
  summary: "The average of a column over all organizations.",
  methods: {
    central: {
      label: "Average",
      help: "Asks every organization for its sum and count, and divides.",
      arguments: { column },
      outputs: [
        { name: "average", kind: "estimate", help: "The average; null without values", restsOn: "count" },
        { name: "count", kind: "count", help: "Rows with a value" },
      ],
      rounds: "one, in which sums and counts come back",
      rows: "none",
    },
    partial: {
      help: "The sum and the count of one organization.",
      arguments: { column },
      outputs: [
        { name: "sum", kind: "moments", help: "The sum", restsOn: "count" },
        { name: "count", kind: "count", help: "Rows with a value" },
      ],
      internal: true,
    },
  },
} as const satisfies Description;

export async function central(context: Context, kwargs: { column: string }) {
  const organizations = (await context.organizations()).map(({ id }) => id);
  const { id } = await context.createTask({
    organizations,
    input: { method: "partial", kwargs },
    name: "sums",
  });
  const parts = (await context.results(id)).map(({ result }) => result as Part);
  return combine(parts);
}

// It asks for moments in place of rows, so that it runs where it is not allowed to see rows.
export async function partial(context: Context, { column }: { column: string }): Promise<Part> {
  const { n, groups: [all] } = await context.table().moments([column]);
  const moments = all?.moments[column];
  return n === null || !moments ? { sum: null, count: 0 } : { sum: n * moments.mean, count: n };
}
`,
    "combine.ts":
      `/** What leaves an organization; without a sum where the owner's rules withhold it. */
export interface Part {
  sum: number | null;
  count: number;
}

export function combine(parts: Part[]) {
  const sum = parts.reduce((sum, part) => sum + (part.sum ?? 0), 0);
  const count = parts.reduce((count, part) => count + part.count, 0);
  return { average: count === 0 ? null : sum / count, count };
}
`,
    "algorithm_test.ts": `// deno task algorithm check runs these tests.
import assert from "node:assert/strict";
import { combine } from "./combine.ts";

Deno.test("combine() is the average of all rows", () => {
  assert.deepEqual(combine([{ sum: 6, count: 2 }, { sum: 4, count: 3 }]), { average: 2, count: 5 });
  assert.deepEqual(combine([]), { average: null, count: 0 });
});
`,
    "a.csv": "age,sex\n34,f\n51,m\n47,f\n",
    "b.csv": "age,sex\n62,m\n,f\n",
  };
}
