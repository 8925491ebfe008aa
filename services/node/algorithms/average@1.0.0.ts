/**
 * The average of a numeric column over all organizations, from each one's sum and count.
 * @module
 */
import type { Context } from "./api.ts";
import type { Description } from "./sextant/description.ts";

const column = {
  type: "column",
  columnType: "number",
  label: "Column",
  help: "Whose mean it is",
} as const;

export const description = {
  name: "average",
  version: "1.0.0",
  summary: "The average of a numeric column over all organizations.",
  methods: {
    central: {
      label: "Average",
      help: "Asks organizations for their sum and count, and divides one by the other",
      rows: "none",
      arguments: {
        column,
        organizations: {
          type: "organizations",
          optional: true,
          label: "Organizations",
          help: "Whose rows are used: all of the collaboration unless given",
        },
      },
      outputs: [
        {
          name: "average",
          kind: "estimate",
          help: "Null where there are no values",
          restsOn: "count",
        },
        { name: "count", kind: "count", help: "Rows that have a value" },
        { name: "missing", kind: "count", help: "Rows that have none" },
        { name: "withheld", kind: "setting", help: "What which organization's rules withheld" },
      ],
      rounds: "Once: a sum and two counts of each organization",
    },
    partial: {
      label: "One organization's part",
      help: "The sum of a column and how many values it has",
      arguments: { column },
      outputs: [
        { name: "sum", kind: "moments", help: "Of the values", restsOn: "count" },
        { name: "count", kind: "count", help: "Rows that have a value" },
        { name: "missing", kind: "count", help: "Rows that have none" },
      ],
    },
  },
} as const satisfies Description;

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
export async function central(context: Context, { column, organizations }: Central) {
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
export function partial(context: Context, { column }: { column: string }): Partial {
  const values = context.table().numeric(column);
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

function checkPartial(result: unknown): Partial {
  const { sum = null, count = null, missing = null, withheld } = (result ?? {}) as Partial;
  const isTold = (one: unknown) => Number.isFinite(one) || (one === null && withheld !== undefined);
  if ([sum, count, missing].every(isTold)) {
    return { sum, count, missing, ...(withheld === undefined ? {} : { withheld }) };
  }
  throw new TypeError("An organization returned something other than a sum and counts.");
}
