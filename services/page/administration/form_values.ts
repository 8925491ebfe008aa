/**
 * Forms as descriptions of their fields, and what stands in them. The names of fields are those of
 * the API, so that what the hub says of one finds its place.
 * @module
 */
import type { ComponentType } from "preact";
import { ApiError } from "../../client/mod.ts";

export type FieldValue = string | boolean | number[];
export type Values = Record<string, FieldValue>;

export interface Option {
  value: string;
  text: string;
  /** Why it cannot be chosen. */
  why?: string | undefined;
}

interface Common {
  name: string;
  label: string;
  help?: string;
  isShown?(values: Values): boolean;
}

export interface OwnControl {
  id: string;
  value: FieldValue;
  values: Values;
  onValue: (value: FieldValue) => void;
}

interface Choosing {
  /** With a function they are asked for, again whenever one of the fields `dependsOn` changes. */
  options: Option[] | ((values: Values, signal: AbortSignal) => Promise<Option[]>);
  dependsOn?: string[];
}

export type FieldDescription =
  & Common
  & (
    | {
      kind: "text";
      type?: "text" | "email" | "url" | "search" | "number" | "date" | "password";
      autoComplete?: string;
      required?: boolean;
    }
    /** With the rules that it keeps or breaks. */
    | { kind: "new password" }
    | { kind: "tick" }
    /** One, by its value; `""` is none. */
    | { kind: "choice"; required?: boolean } & Choosing
    /** Several, by their ids. */
    | { kind: "choices" } & Choosing
    | { kind: "own"; Control: ComponentType<OwnControl> }
  );

export function textOf(values: Values, name: string): string {
  const value = values[name];
  return typeof value === "string" ? value : "";
}

/** `undefined` for an empty text: what was not given. */
export function givenText(values: Values, name: string): string | undefined {
  return textOf(values, name) || undefined;
}

/** The id that was chosen. */
export function idOf(values: Values, name: string): number | undefined {
  const text = textOf(values, name);
  return text === "" ? undefined : Number(text);
}

export function idsOf(values: Values, name: string): number[] {
  const value = values[name];
  return Array.isArray(value) ? value : [];
}

export function tickOf(values: Values, name: string): boolean {
  return values[name] === true;
}

/**
 * What stands in a form then: what was chosen for another value of a field is not chosen for this.
 */
export function withValue(before: Values, { fields, field, value }: {
  fields: readonly FieldDescription[];
  field: FieldDescription;
  value: FieldValue;
}): Values {
  const after = { ...before, [field.name]: value };
  for (const other of fields) {
    if (!("dependsOn" in other) || !other.dependsOn?.includes(field.name)) continue;
    after[other.name] = other.kind === "choices" ? [] : "";
  }
  return after;
}

/** What the hub says of each field; of parts of a field (`ids.0`) too. */
export function fieldErrors(error: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  if (!(error instanceof ApiError)) return found;
  for (const [path, reasons] of Object.entries(error.errors)) {
    const name = path.split(".", 1)[0]!;
    found[name] = [...(name in found ? [found[name]] : []), ...reasons].join("; ");
  }
  return found;
}
