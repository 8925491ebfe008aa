/**
 * A model at the prompt, such as `db.User`: a class made from its description.
 * @module
 */
import { all, type Fragment, type Tx } from "../../../shared/storage/db.ts";
import { ShellError } from "../errors.ts";
import type { Description, Method, Row } from "../models/description.ts";
import {
  type AnyRecord,
  type ListOptions,
  type Model,
  propertiesOf,
  RecordBase,
  type Records,
  type Shell,
} from "../shell.ts";
import { helpOf, MODEL_METHODS } from "../show/help.ts";
import { describe, grouped } from "../show/words.ts";
import { adopt, defineProperties, ShellRecord, unknownProperty } from "./record.ts";
import { RecordList } from "./record_list.ts";
import { asQuery } from "./query.ts";
import { readLabels } from "./labels.ts";
import { storedIdOf } from "./relations.ts";
import { estimatedRows, PAGE_ROWS, selectRows } from "./rows.ts";
import { camelCase, noSuchName, refusingUnknown } from "./typos.ts";
import { checked, MAX_INTEGER } from "./values.ts";

type Condition = (tx: Tx) => Fragment;

/** Makes the class of a model. */
export function createModel(shell: Shell, description: Description): Model {
  const { name, fixed, methods, statics } = description;

  class ModelRecord extends ShellRecord {
    static readonly description = description;
    static readonly shell = shell;

    constructor(values?: Record<string, unknown>) {
      if (values !== undefined && (typeof values !== "object" || values === null)) {
        throw new ShellError(
          `new db.${name}(…) takes an object such as {name: "…"}, not ${describe(values)}`,
        );
      }
      super(model, values);
      if (fixed) throw new ShellError(`${name}: cannot be made here; ${fixed}`);
    }

    /** The class itself, at the prompt. */
    static [Symbol.for("Deno.customInspect")]() {
      return helpOf(description).text;
    }
  }

  const prototype = ModelRecord.prototype;
  // A class can be called with `new` alone; here it is left out as in Python.
  const model = new Proxy(ModelRecord, {
    apply: (_target, _this, values) => Reflect.construct(ModelRecord, values),
  }) as unknown as Model;
  const reading = createReading(shell, description, (row) => adopt(prototype, model, row));
  Object.defineProperty(model, "name", { value: name });
  defineProperties(prototype, description);
  defineMethods(model, `db.${name}`, { ...questionsOf(description, reading), ...statics });
  defineMethods(prototype, name.toLowerCase(), methods);
  return model;

  /** What a method promises says, when it is used without `await`, that it is not there yet. */
  function defineMethods(
    target: object,
    typed: string,
    methods: Record<string, Pick<Method, "call" | "each">>,
  ): void {
    for (const [method, { call, each }] of Object.entries(methods)) {
      Object.defineProperty(target, method, {
        value(this: unknown, ...values: unknown[]) {
          const answer = call(target === model ? model : this, shell, ...values);
          if (!(answer instanceof Promise)) return answer;
          return asQuery(answer, `${typed}.${method}(…)`, each && (() => each(...values)));
        },
      });
    }
  }
}

// The models are classes; what a model has besides records' properties is told by itself.
Object.setPrototypeOf(
  RecordBase,
  refusingUnknown<Model>(Function.prototype, {
    complain({ description: { name, lookups, statics } }, wanted) {
      const methods = [MODEL_METHODS, lookups, statics].flatMap((one) => Object.keys(one));
      return noSuchName(`db.${name}`, wanted, methods, `see db.${name}.help()`);
    },
    say: (model) => model.shell.say,
  }),
);

/** Called from the prompt, with whatever was typed. */
type Ask = (...values: unknown[]) => unknown;

/** What can be asked of every model. */
function questionsOf(description: Description, { page, list, count }: Reading) {
  const { name, lookups } = description;
  const findOne = async (where: Record<string, unknown>) =>
    (await page(conditionsOf(description, where), { limit: 1 }))[0];

  async function get(which?: unknown) {
    if (which === undefined || (typeof which === "object" && which !== null)) {
      return await list([], which as ListOptions);
    }
    // No id is as large as that.
    if (Number.isInteger(which) && Math.abs(which as number) > MAX_INTEGER) return undefined;
    return await findOne({ id: which });
  }
  async function find(where: Record<string, unknown>, options?: ListOptions) {
    if (typeof where !== "object" || where === null) {
      throw new ShellError(`${name}.find takes an object such as {id: 1}, not ${describe(where)}`);
    }
    return await list(conditionsOf(description, where), options);
  }
  async function* all(conditions: Condition[]) {
    let last = 0;
    while (true) {
      const after = last;
      const records = await page([...conditions, (tx) => tx`id > ${after}`], {});
      yield* records;
      if (!records.more) return;
      last = records.at(-1)!.id as number;
    }
  }
  const each = (where: Record<string, unknown> = {}) => all(conditionsOf(description, where));
  const among = (ids: number[]): Condition => (tx) => tx`id = any(${ids})`;
  const getMany = (ids: number[], options?: ListOptions) => list([among(ids)], options);
  const streams: Record<string, (...values: never[]) => AsyncGenerator> = {
    get: () => all([]),
    find: each,
    getMany: (ids: number[]) => all([among(ids)]),
  };
  const help = () => helpOf(description);
  const lookupsBy = Object.fromEntries(
    Object.entries(lookups).map(([method, properties]) => {
      async function lookUp(...values: unknown[]) {
        if (values.length !== properties.length || values.includes(undefined)) {
          throw new ShellError(`${name}.${method} needs ${properties.join(" and ")}`);
        }
        return await findOne(Object.fromEntries(properties.map((one, at) => [one, values[at]])));
      }
      return [method, lookUp];
    }),
  );
  const questions = { get, find, findOne, each, getMany, count, help };
  return Object.fromEntries(
    [...Object.entries(questions), ...Object.entries(lookupsBy)].map(([method, ask]) => [
      method,
      {
        call: (_model: unknown, _tools: unknown, ...values: unknown[]) => (ask as Ask)(...values),
        ...(streams[method] ? { each: streams[method] } : {}),
      },
    ]),
  );
}

type Reading = ReturnType<typeof createReading>;

/** Reads records of a model: a page at a time, with a word when there are more. */
function createReading(shell: Shell, description: Description, record: (row: Row) => AnyRecord) {
  const { service, name, table } = description;

  async function page(
    where: Condition[],
    { limit = PAGE_ROWS, offset = 0, descending = false }: ListOptions,
  ): Promise<Records> {
    for (const [option, value] of Object.entries({ limit, offset })) {
      if (!Number.isInteger(value) || value < 0) {
        throw new ShellError(`${name}: ${option} must be a whole number, not ${describe(value)}`);
      }
    }
    const tx = shell.databases[service];
    const { rows, more } = await selectRows(tx, description, {
      where: where.map((condition) => condition(tx)),
      limit,
      offset,
      descending,
    });
    await readLabels(shell, description, rows);
    return RecordList.page(rows.map(record), more);
  }

  async function list(where: Condition[], options: ListOptions = {}): Promise<Records> {
    const records = await page(where, options);
    if (records.more && options.limit === undefined) {
      shell.say(await ofHowMany(records.length, where.length === 0));
    }
    return records;
  }

  async function ofHowMany(shown: number, everything: boolean): Promise<string> {
    const count = everything
      ? await estimatedRows(shell.databases[service], description)
      : undefined;
    const total = count && count > shown ? `about ${grouped(count)}` : "more";
    return `These are the first ${
      grouped(shown)
    } of ${total}. Others: get({offset: ${shown}}) or ` +
      `find({…}); all, one by one: for await (const one of db.${name}.get()) …`;
  }

  async function count(where: Record<string, unknown> = {}): Promise<number> {
    const tx = shell.databases[service];
    const conditions = conditionsOf(description, where).map((condition) => condition(tx));
    const [row] = await tx<{ count: string }[]>`
      select count(*) from ${tx(table)} where ${all(tx, conditions)}`;
    return Number(row!.count);
  }
  return { page, list, count };
}

/** `{country: "Netherlands", organization: o}` as SQL conditions. */
function conditionsOf(description: Description, where: Record<string, unknown>): Condition[] {
  const { name, fields, relations } = description;
  return Object.entries(where).map(([typed, value]): Condition => {
    const known = propertiesOf(description);
    const property = known.includes(typed) ? typed : camelCase(typed);
    const field = fields[property];
    const relation = relations[property];
    const column = field && !field.virtual
      ? field.column
      : relation?.kind === "one"
      ? relation.column
      : undefined;
    if (column === undefined) {
      if (!known.includes(property)) throw unknownProperty(description, typed);
      throw new ShellError(
        `${name}: ${property} is no column; use (await db.${name}.get()).filter(…)`,
      );
    }
    const wanted = Array.isArray(value) ? value.map(plain) : plain(value);
    if (wanted === null) return (tx) => tx`${tx(column)} is null`;
    return Array.isArray(wanted)
      ? (tx) => tx`${tx(column)} = any(${wanted as number[]})`
      : (tx) => tx`${tx(column)} = ${wanted as string}`;

    function plain(one: unknown): unknown {
      if (one === null || one === undefined) return null;
      if (relation && one instanceof RecordBase) return storedIdOf(one, relation.model);
      return checked(`${name}: ${property}`, field ?? { type: "integer" }, one);
    }
  });
}
