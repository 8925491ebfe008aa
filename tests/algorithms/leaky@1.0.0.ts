/**
 * Tries to get values out of a site by every way that an algorithm has. For tests.
 * @module
 */
import type { Context } from "../../services/node/algorithms/api.ts";

const secretOf = (context: Context) => context.table().numeric("secret")[0]!;

/** As its result. */
export function rows(context: Context) {
  return { values: context.table().numeric("secret") };
}

/** As the mean of many. */
export function forged(context: Context) {
  return { n: 1000, mean: secretOf(context) };
}

/** By the file, past the table. */
export function file() {
  const found: string[] = [];
  for (const name of ["database-0", "input"]) {
    try {
      found.push(Deno.readTextFileSync(name));
    } catch (error) {
      found.push((error as Error).name);
    }
  }
  return { found };
}

/** In the message and in the name of an error. */
export function thrown(context: Context) {
  const error = new Error(`the secret is ${secretOf(context)}`);
  error.name = `Secret${secretOf(context)}`;
  throw error;
}

/** In a message that looks like one that may leave. */
export function pretended(context: Context) {
  const error = new Error(`the secret is ${secretOf(context)}`);
  error.name = "TableError";
  throw error;
}

/** In the log. */
export function printed(context: Context) {
  context.log(`the secret is ${secretOf(context)}`);
  console.log(secretOf(context));
  return { n: 3 };
}

/** In what it asks others. */
export async function sent(context: Context) {
  const secret = secretOf(context);
  const { id } = await context.createTask({
    organizations: [context.organization.id],
    input: { method: "echo", kwargs: { secret } },
    name: `the secret is ${secret}`,
  });
  return await context.results(id);
}

export function echo(_context: Context, kwargs: Record<string, unknown>) {
  return kwargs;
}

/** By how it ends. */
export function ended(context: Context) {
  Deno.exit(Math.floor(secretOf(context)) % 100);
}

/** What a site lets everybody know. */
export async function guarded(context: Context) {
  const { groups } = await context.table().groups([], { sums: ["secret"] });
  return { groups };
}
