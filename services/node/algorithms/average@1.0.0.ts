/**
 * The average of a numeric column over all organizations, from each one's sum and count.
 * @module
 */
import type { Context } from "./api.ts";

interface Central {
  column: string;
  /** Ids of the organizations to ask; all of the collaboration if left out. */
  organizations?: number[];
}

/** What leaves an organization. */
interface Partial {
  sum: number;
  /** Rows that have a value. */
  count: number;
  /** Rows that have none. */
  missing: number;
}

/** Returns `{average, count, missing}` over the organizations; the average of no values is null. */
export async function central(context: Context, args: Central) {
  const { column, organizations } = checkCentral(args);
  const asked = organizations ?? (await context.organizations()).map(({ id }) => id);
  context.log(`Asking ${asked.length} organizations for their sum of "${column}"`);
  const task = await context.createTask({
    organizations: asked,
    input: { method: "partial", kwargs: { column } },
    name: `partial average of ${column}`,
  });
  const parts = (await context.results(task.id)).map(({ result }) => checkPartial(result));

  const count = exactSum(parts.map((part) => part.count));
  return {
    average: count === 0 ? null : exactSum(parts.map((part) => part.sum)) / count,
    count,
    missing: exactSum(parts.map((part) => part.missing)),
  };
}

/** Returns this organization's part: {@linkcode Partial}. */
export function partial(context: Context, args: { column: string }): Partial {
  const values = context.table().numeric(checkColumn(args?.column));
  const present = values.filter((value) => value !== null);
  return {
    sum: exactSum(present),
    count: present.length,
    missing: values.length - present.length,
  };
}

/** A sum whose error does not grow with the number of values (Neumaier). */
function exactSum(values: number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

function checkColumn(column: unknown): string {
  if (typeof column === "string" && column !== "") return column;
  throw new TypeError('The argument "column" must be the name of a column.');
}

function checkCentral(args: Central): Central {
  const column = checkColumn(args?.column);
  const { organizations } = args;
  if (organizations === undefined || organizations === null) return { column };
  const valid = Array.isArray(organizations) && organizations.length > 0 &&
    organizations.every((id) => Number.isInteger(id));
  if (!valid) {
    throw new TypeError('The argument "organizations" must be a list of ids of organizations.');
  }
  return { column, organizations };
}

function checkPartial(result: unknown): Partial {
  const { sum, count, missing } = (result ?? {}) as Partial;
  if ([sum, count, missing].every(Number.isFinite)) return { sum, count, missing };
  throw new TypeError("An organization returned something other than a sum and counts.");
}
