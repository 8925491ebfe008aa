/**
 * A model at the prompt, such as `db.User`: a class made from its description.
 * @module
 */
import type { Fragment, Tx } from "../../shared/storage/db.ts";
import type { Description } from "./description.ts";
import { ShellError } from "./errors.ts";
import { helpOf, type HelpText } from "./help.ts";
import {
  adopt,
  type AnyRecord,
  defineProperties,
  propertiesOf,
  RecordBase,
  storedIdOf,
  unknownProperty,
} from "./record.ts";
import { RecordList } from "./record_list.ts";
import { estimatedRows, PAGE_ROWS, selectRows } from "./rows.ts";
import type { Shell } from "./shell.ts";
import { checked, describe } from "./values.ts";
import { grouped } from "./words.ts";

export type Condition = (tx: Tx) => Fragment;

export interface ListOptions {
  limit?: number;
  offset?: number;
  /** The newest first. */
  descending?: boolean;
}

export interface Model {
  new (values?: Record<string, unknown>): AnyRecord;
  readonly description: Description;
  readonly shell: Shell;
  /** All records up to one page, or the one with this id; `undefined` when there is none. */
  get(options?: ListOptions): Promise<RecordList>;
  get(id: number): Promise<AnyRecord | undefined>;
  /** Those whose fields and relations are as given. */
  find(where: Record<string, unknown>, options?: ListOptions): Promise<RecordList>;
  findOne(where: Record<string, unknown>): Promise<AnyRecord | undefined>;
  /** One record after the other, however many there are. */
  each(where?: Record<string, unknown>): AsyncGenerator<AnyRecord>;
  getMany(ids: number[]): Promise<RecordList>;
  list(where: Condition[], options?: ListOptions): Promise<RecordList>;
  count(where?: Record<string, unknown>): Promise<number>;
  help(): HelpText;
}

/** Properties of a model's class, besides those of records, that an operator types. */
export const MODEL_METHODS = {
  get: {
    usage: "get(), get(1), get({limit, offset, descending})",
    meaning: "all, or the one with this id",
  },
  find: {
    usage: "find({field: value})",
    meaning: "those that match; a list of values means any of them",
  },
  each: { usage: "each({field: value})", meaning: "for await (const one of …): all, however many" },
  count: { usage: "count({field: value})", meaning: "how many match" },
  help: { usage: "help()", meaning: "this text" },
} as const;

/** Makes the class of a model. */
export function createModel(shell: Shell, description: Description): Model {
  const { service, name } = description;
  const db = () => shell.databases[service];

  class ModelRecord extends RecordBase {
    static readonly description = description;
    static readonly shell = shell;

    constructor(values?: Record<string, unknown>) {
      if (values !== undefined && (typeof values !== "object" || values === null)) {
        throw new ShellError(
          `new db.${name}(…) takes an object such as {name: "…"}, not ${describe(values)}`,
        );
      }
      super(ModelRecord as unknown as Model, values, undefined);
      if (description.fixed) {
        throw new ShellError(`${name}: cannot be made here; ${description.fixed}`);
      }
    }

    static async get(which?: unknown) {
      if (which === undefined || (typeof which === "object" && which !== null)) {
        return await this.list([], which as ListOptions);
      }
      return await this.findOne({ id: which });
    }

    static async find(where: Record<string, unknown>, options?: ListOptions) {
      if (typeof where !== "object" || where === null) {
        throw new ShellError(
          `${name}.find takes an object such as {id: 1}, not ${describe(where)}`,
        );
      }
      return await this.list(conditionsOf(model, where), options);
    }

    static async findOne(where: Record<string, unknown>) {
      return (await page(conditionsOf(model, where), { limit: 1 }))[0];
    }

    static async *each(where: Record<string, unknown> = {}) {
      const conditions = conditionsOf(model, where);
      let last = 0;
      while (true) {
        const after = last;
        const records = await page([...conditions, (tx) => tx`id > ${after}`], {});
        yield* records;
        if (!records.more) return;
        last = records.at(-1)!.id as number;
      }
    }

    static async getMany(ids: number[]) {
      return await this.list([(tx) => tx`id = any(${ids})`]);
    }

    static async count(where: Record<string, unknown> = {}) {
      const tx = db();
      const condition = conditionsOf(model, where)
        .reduce((left, one) => tx`${left} and ${one(tx)}`, tx`true`);
      const [row] = await tx<{ count: string }[]>`
        select count(*) from ${tx(description.table)} where ${condition}`;
      return Number(row!.count);
    }

    static async list(where: Condition[], options: ListOptions = {}) {
      const records = await page(where, options);
      if (records.more && options.limit === undefined) {
        shell.say(await ofHowMany(records.length, where.length === 0));
      }
      return records;
    }

    static help() {
      return helpOf(description);
    }

    /** The class itself, at the prompt. */
    static [Symbol.for("Deno.customInspect")]() {
      return helpOf(description).text;
    }
  }

  async function ofHowMany(shown: number, everything: boolean): Promise<string> {
    const count = everything ? await estimatedRows(db(), description) : undefined;
    const total = count && count > shown ? `about ${grouped(count)}` : "more";
    return `These are the first ${
      grouped(shown)
    } of ${total}. Others: get({offset: ${shown}}) or ` +
      `find({…}); all, one by one: for await (const one of db.${name}.each()) …`;
  }

  async function page(
    where: Condition[],
    { limit = PAGE_ROWS, offset = 0, descending = false }: ListOptions,
  ): Promise<RecordList> {
    for (const [option, value] of Object.entries({ limit, offset })) {
      if (!Number.isInteger(value) || value < 0) {
        throw new ShellError(`${name}: ${option} must be a whole number, not ${describe(value)}`);
      }
    }
    const tx = db();
    const { rows, more } = await selectRows(tx, description, {
      where: where.map((condition) => condition(tx)),
      limit,
      offset,
      descending,
    });
    return RecordList.page(rows.map((row) => adopt(ModelRecord.prototype, model, row)), more);
  }

  Object.defineProperty(ModelRecord, "name", { value: name });
  const model = ModelRecord as unknown as Model;
  defineProperties(ModelRecord.prototype, model);
  for (const [method, properties] of Object.entries(description.lookups)) {
    addStatic(model, method, (_model, ...values: unknown[]) => {
      if (values.length !== properties.length || values.includes(undefined)) {
        throw new ShellError(`${name}.${method} needs ${properties.join(" and ")}`);
      }
      return model.findOne(Object.fromEntries(properties.map((one, at) => [one, values[at]])));
    });
  }
  for (const [method, { call }] of Object.entries(description.statics)) {
    addStatic(model, method, call);
  }
  for (const [method, { call }] of Object.entries(description.methods)) {
    Object.defineProperty(ModelRecord.prototype, method, {
      value(this: AnyRecord, ...values: unknown[]) {
        return call(this, ...values);
      },
    });
  }
  return model;
}

function addStatic(
  model: Model,
  method: string,
  call: (model: Model, ...values: unknown[]) => unknown,
) {
  Object.defineProperty(model, method, { value: (...values: unknown[]) => call(model, ...values) });
}

/** `{country: "Netherlands", organization: o}` as SQL conditions. */
function conditionsOf(model: Model, where: Record<string, unknown>): Condition[] {
  const { description } = model;
  return Object.entries(where).map(([property, value]): Condition => {
    const relation = description.relations[property];
    const column = description.fields[property]?.column ??
      (relation?.kind === "one" ? relation.column : undefined);
    if (column === undefined) {
      if (!propertiesOf(description).includes(property)) {
        throw unknownProperty(description, property);
      }
      throw new ShellError(
        `${description.name}: ${property} is no column; use (await db.${description.name}.get()).filter(…)`,
      );
    }
    const wanted = Array.isArray(value) ? value.map(plain) : plain(value);
    return (tx) =>
      wanted === null
        ? tx`${tx(column)} is null`
        : Array.isArray(wanted)
        ? tx`${tx(column)} = any(${wanted as number[]})`
        : tx`${tx(column)} = ${wanted as string}`;

    function plain(one: unknown): unknown {
      const type = description.fields[property]?.type ?? "integer";
      if (one === null || one === undefined) return null;
      if (relation && one instanceof RecordBase) return storedIdOf(one, relation);
      return checked(description.name, property, type, one);
    }
  });
}
