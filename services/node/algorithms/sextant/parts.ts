/**
 * Asking other organizations for their parts, and reading what they return: it comes from another
 * site and is checked.
 * @module
 */
import type { Context } from "./api.ts";
import { readCondition } from "./condition/condition.ts";
import type { Withheld } from "./disclosure.ts";

export interface Part<T> {
  /** The id of the organization. */
  organization: number;
  part: T;
}

/** What an organization's rules withheld of its part; nothing is said where it has none. */
export interface SiteWithheld extends Withheld {
  organization: number;
}

export interface Question<T> {
  /** Ids of the organizations to ask; all of the collaboration if left out. */
  organizations: number[] | undefined;
  method: string;
  kwargs: Record<string, unknown>;
  /** Returns the part, or throws a {@linkcode PartError}. */
  read: (part: unknown) => T;
  /**
   * Is told of every organization with rules what these withheld. A part that cannot be read then
   * for want of it is not among those that are returned.
   */
  onWithheld?: (organization: number, withheld: Withheld[], isRead: boolean) => void;
}

/**
 * Runs a method beside the data of each organization, and returns their parts in that order. An
 * argument `where` that is no condition is said at once, before anybody is asked.
 */
export async function askParts<T>(context: Context, question: Question<T>): Promise<Part<T>[]> {
  const { method, kwargs, read } = question;
  if (typeof kwargs.where === "string") readCondition(kwargs.where);
  const organizations = question.organizations ??
    (await context.organizations()).map(({ id }) => id);
  const task = await context.createTask({ organizations, input: { method, kwargs }, name: method });
  const results = await context.results(task.id);
  const parts = results.flatMap(({ organization_id, result }, i): Part<T>[] => {
    const organization = organization_id ?? organizations[i]!;
    const said = readWithheld(result);
    const withheld = question.onWithheld && said;
    try {
      if (!said || said.length === 0) refuseNull(result);
      const part = read(result);
      if (withheld) question.onWithheld!(organization, withheld, true);
      return [{ organization, part }];
    } catch (error) {
      if (!(error instanceof PartError)) throw error;
      if (withheld && withheld.length > 0) {
        question.onWithheld!(organization, withheld, false);
        return [];
      }
      throw new TypeError(
        `Organization ${organization} returned something other than its part: ${error.message}.`,
      );
    }
  });
  return parts.sort((a, b) => a.organization - b.organization);
}

/** What a part says was withheld of it; undefined of an organization without rules. */
function readWithheld(part: unknown): Withheld[] | undefined {
  const { withheld } = (part ?? {}) as { withheld?: unknown };
  if (!Array.isArray(withheld)) return undefined;
  return readList(withheld, (one) =>
    readFields<Withheld>(one, {
      output: readText,
      rule: readText,
      values: readCount,
    }));
}

/**
 * Null stands for what is withheld, and where nothing is for a number that JSON has not, such as an
 * infinite one: whoever took that for withheld would leave its organization out without a word.
 */
function refuseNull(part: unknown): void {
  if (part === null) throw new PartError("a number is missing, or too large for one");
  if (typeof part !== "object") return;
  for (const [key, one] of Object.entries(part)) if (!SAYS_NULL.includes(key)) refuseNull(one);
}

/** In which null is a word: of a step that has gone too far, a model without a problem. */
const SAYS_NULL = ["deviance", "logLikelihood", "sets", "problem"];

/** What an organization returned is not its part. */
export class PartError extends Error {
  override name = "PartError";
}

/** A finite number. */
export function readNumber(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new PartError("a number is missing");
}

/** A whole number that is not negative. */
export function readCount(value: unknown): number {
  if (Number.isSafeInteger(value) && value as number >= 0) return value as number;
  throw new PartError("a count is missing");
}

/** A count; null where it was withheld. */
export function readCountOrNull(value: unknown): number | null {
  return value === null ? null : readCount(value);
}

export function readText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new PartError("a text is missing");
}

/** A list, each of whose elements `read` reads; of this length, if one is given. */
export function readList<T>(value: unknown, read: (one: unknown) => T, length?: number): T[] {
  if (Array.isArray(value) && (length === undefined || value.length === length)) {
    return value.map((one) => read(one));
  }
  throw new PartError(length === undefined ? "a list is missing" : `a list is not of ${length}`);
}

/** A square of numbers. */
export function readSquare(value: unknown, size: number): number[][] {
  return readList(value, (row) => readList(row, readNumber, size), size);
}

/** An object, each of whose values `read` reads. */
export function readRecord<T>(value: unknown, read: (one: unknown) => T): Record<string, T> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, read(one)]));
  }
  throw new PartError("an object is missing");
}

/** An object with these fields. */
export function readFields<T>(value: unknown, fields: { [K in keyof T]: (one: unknown) => T[K] }) {
  const record = readRecord(value, (one) => one);
  const entries = Object.entries(fields) as [string, (one: unknown) => unknown][];
  return Object.fromEntries(entries.map(([name, read]) => [name, read(record[name])])) as T;
}

/** Moments, as `momentsOf` makes them. */
export function readMoments(value: unknown): { n: number; mean: number; squares: number } {
  return readFields(value, { n: readCount, mean: readNumber, squares: readNumber });
}
