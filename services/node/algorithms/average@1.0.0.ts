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

/** What leaves an organization, with null for what the rules there withhold. */
interface Partial {
  sum: number | null;
  /** Rows that have a value. */
  count: number | null;
  /** Rows that have none. */
  missing: number | null;
  withheld?: unknown;
}

/**
 * Returns `{average, count, missing}` over the organizations; the average of no values is null.
 * Where organizations withhold something, `withheld` says who and what: one that withholds its sum
 * is left out of all, and what is missing is null unless everybody tells it.
 */
export async function central(context: Context, args: Central) {
  const { column, organizations } = checkCentral(args);
  const asked = organizations ?? (await context.organizations()).map(({ id }) => id);
  context.log(`Asking ${asked.length} organizations for their sum of "${column}"`);
  const task = await context.createTask({
    organizations: asked,
    input: { method: "partial", kwargs: { column } },
    name: `partial average of ${column}`,
  });
  const parts = (await context.results(task.id)).map(({ organization_id, result }) => ({
    organization: organization_id,
    ...checkPartial(result),
  }));
  const told = parts.filter((part): part is typeof part & { sum: number; count: number } =>
    part.sum !== null && part.count !== null
  );
  if (told.length === 0) throw new Error("Every organization withholds its part.");
  const withheld = parts.flatMap(({ organization, withheld }) =>
    withheld === undefined ? [] : [{ organization, withheld }]
  );
  const count = exactSum(told.map((part) => part.count));
  const missing = told.map((part) => part.missing);
  return {
    average: count === 0 ? null : exactSum(told.map((part) => part.sum)) / count,
    count,
    missing: missing.every((one) => one !== null) ? exactSum(missing) : null,
    ...(withheld.length > 0 ? { withheld } : {}),
  };
}

/** Returns this organization's part: {@linkcode Partial}. */
export function partial(context: Context, args: { column: string }): Partial {
  const values = context.table().numeric(checkColumn(args?.column));
  const { roundTo = 1 } = context.disclosure ?? {};
  if (roundTo > 1) {
    throw new DisclosureError(
      "The owner of this node lets counts leave rounded only, by which an average would be wrong: " +
        "use deno:summary.",
    );
  }
  const present = values.filter((value) => value !== null);
  return {
    sum: exactSum(present),
    count: present.length,
    missing: values.length - present.length,
  };
}

/** Its words leave a site whatever its rules are. */
class DisclosureError extends Error {
  override name = "DisclosureError";
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
  const { sum = null, count = null, missing = null, withheld } = (result ?? {}) as Partial;
  const isTold = (one: unknown) => Number.isFinite(one) || (one === null && withheld !== undefined);
  if ([sum, count, missing].every(isTold)) {
    return { sum, count, missing, ...(withheld === undefined ? {} : { withheld }) };
  }
  throw new TypeError("An organization returned something other than a sum and counts.");
}
