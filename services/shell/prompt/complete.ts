/**
 * Completion at the prompt: models, fields and methods, names declared before.
 * @module
 */
import type { Evaluator } from "./evaluator.ts";
import { methodsOf } from "../records/record.ts";
import { propertiesOf, RecordBase, stateOf } from "../shell.ts";

/** What stands before the cursor: `base.` and the beginning of a name. */
const BEFORE_CURSOR = /(?:^|[^\w$.])((?:[\w$]+\.)*)([\w$]*)$/;
const HIDDEN = /^(_|constructor$|prototype$|length$|name$|arguments$|caller$|description$|shell$)/;

/** The candidates for the end of `line`, and the part of it that they would replace. */
export async function complete(
  line: string,
  evaluator: Evaluator,
  globals: string[],
): Promise<[string[], string]> {
  const match = BEFORE_CURSOR.exec(line);
  if (!match) return [[], line];
  const [, base = "", start = ""] = match;
  const names = base === ""
    ? [...globals, ...await evaluator.declared()]
    : membersOf(await evaluator.peek(base.slice(0, -1)));
  const candidates = [...new Set(names)].filter((name) => name.startsWith(start)).sort();
  return [candidates.map((name) => base + name), base + start];
}

/** What can be typed after the dot. Reads no property: a relation would ask the database. */
function membersOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (value instanceof RecordBase) {
    const { description } = stateOf(value).model;
    return [...propertiesOf(description), ...methodsOf(description)];
  }
  const names: string[] = [];
  for (
    let object = Object(value);
    object && object !== Object.prototype && object !== Function.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    names.push(...Object.getOwnPropertyNames(object));
  }
  return names.filter((name) => !HIDDEN.test(name) && !/^\d/.test(name));
}
