/**
 * How an algorithm describes itself. It exports a `description` of this type, the one source of
 * what people, command lines and forms are told of it; and what it is called with is checked
 * against that before it runs.
 *
 * ```ts
 * import type { Context, Description } from "sextant/api.ts";
 *
 * export const description = {
 *   name: "count",
 *   version: "1.0.0",
 *   summary: "How many rows have a value in a column.",
 *   methods: {
 *     count: {
 *       help: "Counts the values at one organization.",
 *       arguments: { column: { type: "column", label: "Column", help: "Whose values count" } },
 *       outputs: [{ name: "count", kind: "count", help: "Rows with a value" }],
 *     },
 *   },
 * } as const satisfies Description;
 * ```
 * @module
 */

/** What a value of an argument is. Where there is no type of an element, a list has any values. */
export type ArgumentType =
  /** The name of a column of the task's database. */
  | "column"
  | "columns"
  | "number"
  | "integer"
  | "text"
  | "boolean"
  /** One of `choices`. */
  | "choice"
  /** Ids of the organizations to ask. */
  | "organizations"
  /** On the rows that are used, in the language of `condition/condition.ts`. */
  | "condition"
  | "list"
  | "object";

export interface Argument {
  type: ArgumentType;
  /** A few words, for a form. */
  label: string;
  /** A sentence, without a full stop. */
  help: string;
  /** Of columns: what they must hold. */
  columnType?: "number" | "text" | "boolean" | "date";
  /** May be left out, or null. */
  optional?: true;
  /** Stands in for an argument that is left out. */
  default?: unknown;
  choices?: readonly (string | number)[];
  /** Of numbers, both ends included. */
  min?: number;
  max?: number;
}

/** What a part of a result is, and so which rules of disclosure it falls under. */
export type OutputKind =
  /** A number of persons or rows, or lists and records of such numbers. */
  | "count"
  /**
   * A list of cells, each an object of labels and of the number `count` (described otherwise with
   * `each`); or a list of lists of counts.
   */
  | "table"
  /** Sums and means of values, as numbers or lists and records of them. */
  | "moments"
  /** What comes of a model; it has as many terms as elements unless `terms` says so. */
  | "model"
  | "curve"
  /** By probability (a record with them as its keys), or by place where `at` names those. */
  | "quantiles"
  | "estimate"
  /**
   * Names of values of a category. In a list of objects a level rests on the counts of all objects
   * that have the same.
   */
  | "levels"
  /** An echo of the question, numbers of steps, words: it rests on no row. */
  | "setting"
  /** How many persons a part rests on, as evidence: it is taken out at the exit. */
  | "persons"
  /**
   * What single persons contribute to a sum, as evidence: `{total, largest: […]}` of absolute
   * values, with at least the two largest; taken out at the exit.
   */
  | "contributions"
  /** Anything else. It does not leave a site that has rules, unless the owner trusts the code. */
  | "other";

/**
 * One part of what a method returns, which is an object. A part that no output names is `other`.
 *
 * A method that reads rows says of every part what it rests on, and the node lets out what its
 * owner's rules allow: the rest becomes null in its place, and the result gets `withheld`, a list
 * of `{output, rule, values}`. Counts are looked at by themselves.
 *
 * ```ts
 * outputs: [
 *   { name: "n", kind: "count", restsOn: "persons", help: "Rows" },
 *   { name: "persons", kind: "persons", help: "Persons that they are of" },
 *   { name: "groups", kind: "table", help: "By level", each: [{
 *     name: "*", kind: "table", help: "Of a level", each: [
 *       { name: "n", kind: "count", partOf: "n", help: "Rows" },
 *       { name: "mean", kind: "moments", restsOn: "n", help: "Of the outcome" },
 *     ],
 *   }] },
 * ]
 * ```
 */
export interface Output {
  /** Its name in the object; `*` stands for all parts of the object that are not named. */
  name: string;
  kind: OutputKind;
  help: string;
  /**
   * The counts on which it rests, which must all be large enough: parts of kind `count` or
   * `persons`, looked for beside it first and then in the objects around it. Where value and count
   * are both lists (or records), each value rests on the count in its place (of its name).
   */
  restsOn?: string | readonly string[];
  /**
   * The parts of the value, in place of its own kind: of an object its fields (`*` for those of a
   * record), of a list the fields of every object in it.
   */
  each?: readonly Output[];
  /**
   * Of `*`, and of a value that is a record: `setting` where the names of the parts are known from
   * the question, such as columns. Unless said, they are taken for levels of a category, and the
   * name of one with fewer persons than may be told of is taken out with it, in place of a null.
   */
  keys?: "setting";
  /** Of a model: the part that says how many terms it has, as a number or as a list of them. */
  terms?: string;
  /** Of quantiles in a list: the part that lists their probabilities, or the argument. */
  at?: string;
  /**
   * Of sums: the part of kind `contributions` that shows whether few persons make up most of it.
   */
  contributions?: string;
  /**
   * Of a count: the count, beside it or further out, that it adds up to together with all others
   * that say the same. Where one of them is withheld, so is what would give it back.
   */
  partOf?: string;
}

export interface Method {
  help: string;
  label?: string;
  arguments: Readonly<Record<string, Argument>>;
  outputs: readonly Output[];
  /** Called by other methods of the algorithm alone: no form offers it. */
  internal?: true;
  /**
   * `none`: it reads no database, and is given none. What it returns rests on what other runs let
   * out, so it leaves as it is. Only such a method may make subtasks at a site that has rules.
   */
  rows?: "none";
  /** What it asks other organizations to do, in words: how often, and what comes back. */
  rounds?: string;
}

export interface Description {
  /** Small letters, digits, `-` and `_`. */
  name: string;
  /** As in semver. */
  version: string;
  /** A sentence. */
  summary: string;
  /** Databases that a task names; 1 unless given. */
  databases?: number;
  methods: Readonly<Record<string, Method>>;
  citations?: readonly string[];
}

/**
 * The arguments by name, with their defaults, checked against the description of the method; those
 * given without names are the first of it. Throws a TypeError that names the argument. It is called
 * in the sandbox, which has no packages.
 */
export function checkArguments(
  method: string,
  { arguments: described }: Pick<Method, "arguments">,
  { args = [], kwargs }: { args?: readonly unknown[]; kwargs: Readonly<Record<string, unknown>> },
): Record<string, unknown> {
  const given = named(method, Object.keys(described), args, kwargs);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(described, name)) continue;
    const known = Object.keys(described).join(", ") || "none";
    throw new TypeError(`The method "${method}" has no argument "${name}"; it has: ${known}.`);
  }
  const checked: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(described)) {
    const value = (Object.hasOwn(given, name) ? given[name] : undefined) ?? argument.default;
    if (value === undefined || value === null) {
      if (argument.optional) continue;
      throw new TypeError(`The argument "${name}" is missing: ${lowerFirst(argument.help)}.`);
    }
    const problem = problemOf(value, argument);
    if (problem) throw new TypeError(`The argument "${name}" must be ${problem}.`);
    checked[name] = value;
  }
  return checked;
}

function named(
  method: string,
  names: readonly string[],
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (args.length > names.length) {
    throw new TypeError(
      `The method "${method}" takes ${names.length} arguments, and ${args.length} were given.`,
    );
  }
  const first = names.slice(0, args.length);
  const twice = first.find((name) => Object.hasOwn(kwargs, name));
  if (twice !== undefined) throw new TypeError(`The argument "${twice}" was given twice.`);
  return Object.fromEntries([
    ...first.map((name, i) => [name, args[i]]),
    ...Object.entries(kwargs),
  ]);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What the value must be and is not; undefined for a good one. */
function problemOf(value: unknown, { type, choices, min, max }: Argument): string | undefined {
  const isName = (one: unknown) => typeof one === "string" && one !== "";
  switch (type) {
    case "column":
      return isName(value) ? undefined : "the name of a column";
    case "columns": {
      const good = Array.isArray(value) && value.length > 0 && value.every(isName) &&
        new Set(value).size === value.length;
      return good ? undefined : "a list of names of columns, each once";
    }
    case "number":
    case "integer": {
      const kind = type === "integer" ? "a whole number" : "a number";
      const isOne = type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
      const fits = isOne && (value as number) >= (min ?? -Infinity) &&
        (value as number) <= (max ?? Infinity);
      return fits ? undefined : `${kind}${range(min, max)}`;
    }
    case "condition":
      return isName(value) ? undefined : "a condition, such as age >= 18 and sex = 'f'";
    case "text":
      return typeof value === "string" ? undefined : "a text";
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "choice":
      return choices?.includes(value as string) ? undefined : `one of ${choices?.join(", ")}`;
    case "organizations": {
      const good = Array.isArray(value) && value.length > 0 && value.every(Number.isSafeInteger) &&
        new Set(value).size === value.length;
      return good ? undefined : "a list of ids of organizations, each once";
    }
    case "list":
      return Array.isArray(value) ? undefined : "a list";
    case "object": {
      const good = typeof value === "object" && !Array.isArray(value);
      return good ? undefined : "an object";
    }
  }
}

function range(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}
