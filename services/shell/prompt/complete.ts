/**
 * Completion at the prompt: models, fields and methods, names declared before, without regard to
 * case.
 * @module
 */
import { methodsOf } from "../records/record.ts";
import type { Description } from "../models/description.ts";
import { propertiesOf, RecordBase, type Shell, stateOf } from "../shell.ts";
import type { Evaluator } from "./evaluator.ts";

/** What stands before the cursor: `base.` and the beginning of a name. */
const BEFORE_CURSOR = /(?:^|[^\w$.)])((?:[\w$]+\.)*)([\w$]*)$/;
/** Inside of the braces of a new record, or of what is looked for, where a name can stand. */
const IN_VALUES = /\bdb\.(\w+)(?:\.(?:find|findOne|each|count))?\(\{(?:[^{}]*,)?\s*([\w$]*)$/;
/** After something that is awaited in brackets. */
const AFTER_AWAITED = /\(await\s+(.+)\)\.([\w$]*)$/;
const HIDDEN = /^(_|constructor$|prototype$|length$|name$|arguments$|caller$|description$|shell$)/;

export interface CompleteOptions {
  evaluator: Pick<Evaluator, "declared" | "peek">;
  shell: Pick<Shell, "models">;
  /** Names that are always in scope. */
  globals: string[];
}

/** The candidates for the end of `line`, and the part of it that they would replace. */
export async function complete(
  line: string,
  { evaluator, shell: { models }, globals }: CompleteOptions,
): Promise<[string[], string]> {
  const [, model = "", value = ""] = IN_VALUES.exec(line) ?? [];
  if (model in models) {
    const { fields, relations } = modelOf(model)!;
    const settable = Object.keys(fields).filter((name) => !fields[name]!.readOnly);
    return matching([...settable, ...Object.keys(relations)], value, "", ": ");
  }
  const [, awaited, member = ""] = AFTER_AWAITED.exec(line) ?? [];
  if (awaited !== undefined) return matching(await membersOfAwaited(awaited), member);
  const [found, base = "", start = ""] = BEFORE_CURSOR.exec(line) ?? [];
  if (found === undefined) return [[], line];
  const names = base === ""
    ? [...globals, ...await evaluator.declared()]
    : membersOf(await evaluator.peek(base.slice(0, -1)));
  return matching(names, start, base);

  function modelOf(name: string): Description | undefined {
    return Object.hasOwn(models, name)
      ? models[name as keyof typeof models].description
      : undefined;
  }

  /** What a question will give, seen from how it is asked: nothing is asked for it. */
  async function membersOfAwaited(asked: string): Promise<string[]> {
    const kind = await kindOf(asked.trim());
    if (!kind) return [];
    return kind.list ? membersOf([]) : membersOfRecord(kind.description);
  }

  async function kindOf(
    asked: string,
  ): Promise<{ description: Description; list: boolean } | undefined> {
    const [, model = "", method = "", given = ""] = /^db\.(\w+)\.(\w+)\((.*)\)$/.exec(asked) ?? [];
    const description = modelOf(model);
    if (description) {
      const one = /^(getBy|findOne$)/.test(method) || (method === "get" && /^[^{\s]/.test(given));
      return { description, list: !one };
    }
    const [, base = "", property = ""] = /^(.+)\.(\w+)$/.exec(asked) ?? [];
    const [, nested] = /^\(await\s+(.+)\)$/.exec(base) ?? [];
    const held = nested ? undefined : await evaluator.peek(base);
    const of = nested
      ? (await kindOf(nested))?.description
      : held instanceof RecordBase
      ? stateOf(held).model.description
      : undefined;
    const relation = of?.relations[property];
    return relation &&
      { description: modelOf(relation.model)!, list: relation.kind !== "one" };
  }
}

function matching(
  names: string[],
  start: string,
  before = "",
  after = "",
): [string[], string] {
  const lower = start.toLowerCase();
  const candidates = [...new Set(names)].filter((one) => one.toLowerCase().startsWith(lower));
  return [candidates.sort().map((one) => before + one + after), before + start];
}

/** What can be typed after the dot. Reads no property: a relation would ask the database. */
function membersOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (value instanceof RecordBase) return membersOfRecord(stateOf(value).model.description);
  const names: string[] = [];
  for (
    let object = Object(value);
    object && object !== Object.prototype && object !== Function.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    names.push(...Object.getOwnPropertyNames(object));
  }
  // Of a list the number of its entries is wanted, of a function it is not.
  const wanted = Array.isArray(value) ? ["length"] : [];
  return [...names.filter((name) => !HIDDEN.test(name) && !/^\d/.test(name)), ...wanted];
}

function membersOfRecord(description: Description): string[] {
  return [...propertiesOf(description), ...methodsOf(description)];
}
