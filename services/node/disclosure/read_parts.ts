/**
 * Which described output each part of a result is.
 * @module
 */
import type { Output } from "../algorithms/sextant/description.ts";
import { isHolder, isObject, type Place, valueAt } from "./places.ts";

/** An object of the result, with what describes its parts. */
export interface Scope {
  object: Record<string, unknown>;
  outputs: readonly Output[];
}

/** A part that is described as a whole. */
export interface Part {
  output: Output;
  /** As it is described, never as it is named in a record: `groups.*.n`. */
  path: string;
  place: Place;
  /** The objects that it is in, the nearest first. */
  scopes: readonly Scope[];
  /** The list of cells in which its object is one, where the list is a table or the like. */
  list: { items: readonly unknown[]; isTable: boolean } | undefined;
}

export interface Parts {
  /** Parts that have no parts of their own. */
  parts: Part[];
  /** Parts that have, and rest on something as a whole, outer ones first. */
  wholes: Part[];
  /** Parts of objects that are named by data: those that `*` stands for. */
  named: Part[];
  /** What no output describes. */
  others: Pick<Part, "path" | "place">[];
}

/** What a cell of a table is, unless it is described. */
const CELL: readonly Output[] = [
  { name: "count", kind: "count", help: "Of the cell", restsOn: "persons" },
  { name: "persons", kind: "persons", help: "Of the cell" },
  { name: "*", kind: "levels", help: "Which cell it is", restsOn: "count", keys: "setting" },
];

/** The parts of a result that is an object, by the outputs of its method. */
export function readParts(
  result: Record<string, unknown>,
  outputs: readonly Output[],
): Parts {
  const found: Parts = { parts: [], wholes: [], named: [], others: [] };

  function visit(
    object: Record<string, unknown>,
    outputs: readonly Output[],
    { scopes, path, list }: Pick<Part, "scopes" | "path" | "list">,
  ): void {
    const inner = [{ object, outputs }, ...scopes];
    const byName = new Map(outputs.map((output) => [output.name, output]));
    const star = byName.get("*");
    for (const key of Object.keys(object)) {
      // A key that is a star is data like others.
      const output = (key === "*" ? undefined : byName.get(key)) ?? star;
      const place = { holder: object, key };
      if (!output) {
        found.others.push({ path: `${path}(not described)`, place });
        continue;
      }
      const part = { output, path: `${path}${output.name}`, place, scopes: inner, list };
      if (output === star && output.keys !== "setting") found.named.push(part);
      take(part);
    }
  }

  function take(part: Part): void {
    const { output, place, path } = part;
    const value = valueAt(place);
    const isCells = output.kind === "table" && Array.isArray(value) && value.some(isObject);
    const each = output.each ?? (isCells ? CELL : undefined);
    if (!each) return void found.parts.push(part);
    if (output.restsOn !== undefined) found.wholes.push(part);
    descend(value, each, { ...part, path: `${path}.` });
  }

  function descend(value: unknown, each: readonly Output[], part: Part): void {
    if (isObject(value)) return visit(value, each, { ...part, list: undefined });
    if (!Array.isArray(value)) {
      if (isHolder(value) || value == null) return;
      return void found.others.push({ path: `${part.path}(not described)`, place: part.place });
    }
    const list = { items: value, isTable: part.output.kind === "table" };
    for (const [key, item] of value.entries()) {
      if (isObject(item)) visit(item, each, { ...part, list });
      else descend(item, each, { ...part, place: { holder: value, key } });
    }
  }

  visit(result, outputs, { scopes: [], path: "", list: undefined });
  return found;
}
