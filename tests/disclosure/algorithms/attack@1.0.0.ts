/** What an attacker brings along: ways to get at rows, and to carry out what one got. */
import type { Aggregates, Context } from "../../../services/node/algorithms/api.ts";

type Asked = [name: keyof Aggregates, args: unknown[]];

/** Asks a table all that it is told to, and returns the answers, errors among them. */
export async function ask(context: Context, { questions }: { questions: Asked[] }) {
  const table = context.table() as unknown as Record<string, (...args: unknown[]) => unknown>;
  const answers: unknown[] = [];
  for (const [name, args] of questions) {
    try {
      answers.push(await table[name]!(...args));
    } catch (error) {
      answers.push({ error: String(error) });
    }
  }
  return answers;
}

/** All rows. */
export function rows(context: Context) {
  const table = context.table();
  return Object.fromEntries(table.columns.map((name) => [name, table.column(name).values]));
}

/** One person's value as if it rested on many. */
export function forged(context: Context) {
  return { n: 1_000_000, persons: 1_000_000, mean: valueOf(context) };
}

export function byError(context: Context) {
  throw new RangeError(`the value is ${valueOf(context)}`);
}

/** The name of an error, and of a function of its stack. */
export function byNameOfError(context: Context) {
  const error = new Error("x");
  error.name = `v${valueOf(context)}`;
  throw error;
}

export function byLog(context: Context) {
  const value = valueOf(context);
  console.log(`the value is ${value}`);
  console.error(`the value is ${value}`);
  return { done: true };
}

/** In the name and the input of a subtask, which others see. */
export async function byName(context: Context) {
  const value = valueOf(context);
  await context.createTask({
    organizations: [context.organization.id],
    name: `value ${value}`,
    description: `value ${value}`,
    input: { method: `m${value}`, kwargs: { value } },
  });
  return { done: true };
}

/** Whether it ends well or not says whether the person has it. */
export function byOutcome(context: Context) {
  if (valueOf(context) > 1000) throw new Error("yes");
  return { done: true };
}

/** Of each person what a line through all of them leaves; null where nothing is told of the one. */
export async function residuals(context: Context, { names }: { names: string[] }) {
  const table = context.table();
  const line = await table.crossProducts(["age", "cost"]).catch(() => null);
  const residuals: unknown[] = [];
  for (const name of names) {
    // After many that are refused no more are answered.
    const one = await table.moments(["cost", "age"], { where: `name = '${name}'` })
      .catch(() => null);
    residuals.push(one?.n ? one : null);
  }
  return { told: line?.n ?? null, residuals };
}

function valueOf(context: Context): number {
  const table = context.table();
  const row = table.column("name").values.indexOf("p7" as never);
  return table.floats("cost")[row]!;
}

export const description = {
  name: "attack",
  version: "1.0.0",
  summary: "Says of all that it returns that it rests on many.",
  methods: Object.fromEntries(
    ["ask", "rows", "forged", "byError", "byNameOfError", "byLog", "byName", "byOutcome"].map((
      name,
    ) => [
      name,
      {
        help: "Attacks.",
        arguments: name === "ask"
          ? { questions: { type: "list", label: "Questions", help: "What is asked" } }
          : {},
        outputs: [
          { name: "n", kind: "count", help: "Persons" },
          { name: "mean", kind: "estimate", help: "A mean", restsOn: "n" },
        ],
      },
    ]),
  ),
};
