/**
 * SQL as a tagged template: its text, and its parameters apart from it. Nothing here knows a
 * database.
 *
 * A value becomes a parameter, a piece of SQL becomes part of the text. What a parameter's type is,
 * Postgres finds out by itself, except where JavaScript knows better: there the text says it.
 * @module
 */
import { Buffer } from "node:buffer";

/** What stands for a value of a column. */
export type Scalar = string | number | bigint | boolean | Date | Uint8Array | null;
export type JsonValue =
  | null
  | string
  | number
  | boolean
  | Date
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };
/** What may stand in a template. */
export type Parameter = Scalar | readonly Scalar[] | Fragment | Identifier | ColumnValues | Json;

/** A piece of SQL with its parameters, to be put into a larger statement. */
export class Fragment {
  constructor(
    readonly strings: readonly string[],
    readonly values: readonly unknown[] = [],
  ) {}
}

/** The name of a table or column, or several; a dot in it parts a schema from a table. */
export class Identifier {
  readonly text: string;
  constructor(...names: string[]) {
    this.text = names.map((name) => quoted(name).replaceAll(".", '"."')).join(", ");
  }
}

/**
 * One or more rows to be inserted, or the changes of an update: after `set`. A value of a row may
 * be a piece of SQL.
 */
export class ColumnValues {
  readonly rows: readonly Record<string, unknown>[];
  constructor(rows: object | readonly object[]) {
    this.rows = (Array.isArray(rows) ? rows : [rows]) as Record<string, unknown>[];
    if (this.rows.length === 0) throw new TypeError("Cannot insert rows: there are none");
  }
}

/** A value that Postgres gets as jsonb. */
export class Json {
  constructor(readonly value: unknown) {}
}

/** A statement as the driver sends it. */
export interface Composed {
  text: string;
  values: unknown[];
  /** Whether the text will come again and again: it does not depend on how many rows there are. */
  lasting: boolean;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Puts a statement together. Throws a TypeError when a value is `undefined`. */
export function compose(fragment: Fragment): Composed {
  const composed: Composed = { text: "", values: [], lasting: true };
  add(composed, fragment);
  return composed;
}

function add(composed: Composed, { strings, values }: Fragment): void {
  for (let at = 0; at < strings.length; at++) {
    composed.text += strings[at];
    if (at < values.length) put(composed, values[at]);
  }
}

function put(composed: Composed, value: unknown): void {
  if (value instanceof Fragment) add(composed, value);
  else if (value instanceof Identifier) composed.text += value.text;
  else if (value instanceof ColumnValues) putColumns(composed, value);
  else putParameter(composed, value);
}

function putColumns(composed: Composed, { rows }: ColumnValues): void {
  const names = Object.keys(rows[0]!);
  if (/\bset\s*$/i.test(composed.text)) {
    names.forEach((name, at) => {
      composed.text += `${at > 0 ? ", " : ""}${quoted(name)} = `;
      putParameter(composed, rows[0]![name]);
    });
    return;
  }
  if (rows.length > 1) composed.lasting = false;
  composed.text += `(${names.map(quoted).join(", ")}) values `;
  rows.forEach((row, at) => {
    composed.text += at > 0 ? ", (" : "(";
    names.forEach((name, column) => {
      if (column > 0) composed.text += ", ";
      put(composed, row[name]);
    });
    composed.text += ")";
  });
}

function putParameter(composed: Composed, value: unknown): void {
  if (value === undefined) throw new TypeError("Cannot run a statement: a value is undefined");
  const [type, sent] = encode(value);
  composed.values.push(sent);
  composed.text += `$${composed.values.length}${type}`;
}

/**
 * The type that must be said, and what is sent. Strings, numbers and arrays are what the statement
 * makes of them.
 */
function encode(value: unknown): [type: string, sent: unknown] {
  switch (typeof value) {
    case "boolean":
      return ["::boolean", value];
    case "bigint":
      return ["::bigint", value];
    case "object":
      if (value instanceof Date) return ["::timestamptz", value.toISOString()];
      if (value instanceof Uint8Array) return ["::bytea", bytesOf(value)];
      if (value instanceof Json) return ["::jsonb", JSON.stringify(value.value)];
  }
  return ["", value];
}

/** As the driver's kind of bytes, which it sends as they are; without a copy. */
function bytesOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
