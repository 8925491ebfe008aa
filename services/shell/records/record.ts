/**
 * A record at the prompt: one row with its relations, changed by assignment and stored by `save()`.
 * @module
 */
import { ShellError } from "../errors.ts";
import type { Description, Field, Row } from "../models/description.ts";
import {
  type AnyRecord,
  type Model,
  propertiesOf,
  RecordBase,
  setState,
  stateOf,
} from "../shell.ts";
import { render } from "../show/render.ts";
import { terminalWidth } from "../../../shared/command_line/table.ts";
import { asQuery } from "./query.ts";
import { eachRelated, related } from "./relations.ts";
import {
  type DeleteOptions,
  deleteRecord,
  type ForceOptions,
  reloadRecord,
  saveRecord,
} from "./save.ts";
import { noSuchName, refusingUnknown } from "./typos.ts";
import { checked } from "./values.ts";

/** What the records of all models can do. Properties come from the model's description. */
export class ShellRecord extends RecordBase {
  constructor(model: Model, values: Record<string, unknown> = {}) {
    super();
    setState(this, { model, row: undefined });
    for (const [property, value] of Object.entries(values)) this[property] = value;
  }

  /** Inserts a new record, or updates what was changed. */
  save(options?: ForceOptions): Promise<this> {
    return asQuery(saveRecord(this, options).then(() => this), "record.save()");
  }

  /** Deletes it with what depends on it, once the operator agrees; returns what that was. */
  delete(options?: DeleteOptions): Promise<string> {
    return asQuery(deleteRecord(this, options), "record.delete()");
  }

  /** Reads it again, forgetting what was assigned and not saved. */
  reload(): Promise<this> {
    return asQuery(reloadRecord(this).then(() => this), "record.reload()");
  }

  /** The model's fields, relations and methods. */
  help(): unknown {
    return stateOf(this).model.help();
  }

  [Symbol.for("Deno.customInspect")](): string {
    return render(this, terminalWidth());
  }

  toJSON(): Record<string, unknown> {
    const { model: { description }, row = {} } = stateOf(this);
    const shown: Record<string, unknown> = {};
    for (const [name, { hidden }] of Object.entries(description.fields)) {
      if (!hidden) shown[name] = this[name] ?? null;
    }
    for (const [name, relation] of Object.entries(description.relations)) {
      if (relation.kind === "one") shown[name] = row[relation.column] ?? null;
    }
    return shown;
  }
}

// Beyond the class, where names arrive that nothing took: an assignment would be lost without a
// word.
Object.setPrototypeOf(
  RecordBase.prototype,
  refusingUnknown<RecordBase>(Object.prototype, {
    complain: unknownOfRecord,
    say: (record) => stateOf(record).model.shell.say,
    assignments: true,
  }),
);

/** The methods of a record, as they are typed. */
export function methodsOf({ fixed, methods }: Description): string[] {
  return fixed ? ["help"] : ["save", "delete", "reload", "help", ...Object.keys(methods)];
}

function unknownOfRecord(record: RecordBase, name: string): ShellError {
  const { description } = stateOf(record).model;
  return unknownProperty(description, name, methodsOf(description));
}

export function unknownProperty(
  description: Description,
  property: string,
  methods: string[] = [],
): ShellError {
  const candidates = [...propertiesOf(description), ...methods];
  return noSuchName(description.name, property, candidates, `see db.${description.name}.help()`);
}

/** Makes a record of a row that is stored. */
export function adopt(prototype: RecordBase, model: Model, row: Row): AnyRecord {
  const record = Object.create(prototype) as AnyRecord;
  setState(record, { model, row });
  return record;
}

/** Defines the properties of a model's class: one for each field and relation. */
export function defineProperties(prototype: RecordBase, { name, fields, relations }: Description) {
  for (const [property, field] of Object.entries(fields)) {
    define(property, !field.hidden, (record) => valueOf(record, property, field), (value) => {
      if (field.readOnly) throw new ShellError(`${name}: ${property} is not set by hand`);
      return checked(`${name}: ${property}`, field, value);
    });
  }
  for (const [property, relation] of Object.entries(relations)) {
    const { kind, model } = relation;
    define(
      property,
      true,
      (record) =>
        asQuery(
          related(record, property, relation),
          `${name.toLowerCase()}.${property}`,
          relation.kind === "one" ? undefined : () => eachRelated(record, property, relation),
        ),
      (value) => {
        if (kind === "one" || (kind === "many" && relation.given)) return value;
        throw new ShellError(`${name}: ${property} cannot be assigned; set it on the ${model}`);
      },
    );
  }

  function define(
    property: string,
    enumerable: boolean,
    get: (record: RecordBase) => unknown,
    accept: (value: unknown) => unknown,
  ): void {
    Object.defineProperty(prototype, property, {
      enumerable,
      get(this: RecordBase) {
        return get(this);
      },
      set(this: RecordBase, value: unknown) {
        stateOf(this).given.set(property, accept(value));
      },
    });
  }
}

function valueOf(record: RecordBase, property: string, { column, virtual, get }: Field): unknown {
  const { given, row, once } = stateOf(record);
  if (once.has(property)) return once.get(property);
  // What is only taken in, such as a password, is not given back.
  if (given.has(property) && (!virtual || get)) return given.get(property);
  return row && (virtual ? get?.(row) : row[column] ?? undefined);
}
