/**
 * A result as pieces that can be shown. What its parts are is said by the algorithm's description;
 * where there is none, or a part is not what the description says, it is shown as it is.
 * @module
 */
import type { ToldDescription } from "../../../../shared/node_protocol/description.ts";
import { readCountsByLevel, readCrosstab, readHistogram, readQuantiles } from "./counts.ts";
import { readSurvival } from "./curves.ts";
import { readDescribedColumns } from "./described_columns.ts";
import {
  type Drawn,
  readCoefficients,
  readEffects,
  readEstimateList,
  readGroupedEstimates,
  readMeans,
  readMeta,
} from "./forests.ts";
import { readCentres, readComponents } from "./profiles.ts";
import type { Piece, Reading, Table } from "./pieces.ts";
import { cellOf, flat, isPlain, isRecord, isRecords, namedTable, tableOf } from "./values.ts";
import type { Values } from "./values.ts";
import { readWithheld } from "./withheld.ts";

export type Method = ToldDescription["methods"][string];
type Output = Method["outputs"][number];

export interface ReadOptions {
  /** What was called, as the algorithm describes it. */
  method?: Method | undefined;
  /** Its arguments by name, as far as they are known: names of columns for titles. */
  args?: Readonly<Record<string, unknown>>;
}

export function readResult(value: unknown, { method, args = {} }: ReadOptions = {}): Reading {
  const withheld = readWithheld(value);
  if (!isRecord(value) || !method) {
    const pieces = asTheyAre(value, withheld !== undefined);
    return { pieces, withheld: withheld ?? [], notes: [], empty: [] };
  }
  const left = new Map(Object.entries(value));
  if (withheld) left.delete("withheld");
  const notes = readNotes(value, method.outputs);
  if (notes) left.delete("notes");
  const found: Found = { pieces: [], facts: [], tests: [], value, args };
  for (const output of method.outputs) {
    const part = left.get(output.name);
    if (!left.delete(output.name)) continue;
    readOutput(output, part, found);
  }
  const { facts, tests } = found;
  // What the description does not name may be anything; a single value is itself.
  const rest = [...left].flatMap(([name, part]): Piece[] => {
    if (!isPlain(part)) return [{ is: "tree", name, title: { of: name }, path: [name] }];
    facts.push({ name, value: cellOf(part) });
    return [];
  });
  const known = facts.filter(({ value }) => value !== null);
  const together: Piece[] = [
    ...tests.length > 0 ? [ownTable("estimates", tableOf(tests))] : [],
    ...known.length > 0 ? [ownTable("facts", tableOf(known))] : [],
  ];
  const isDrawn = (piece: Piece) => piece.is === "table" && piece.picture !== undefined;
  return {
    // What is worth seeing first stands first.
    pieces: [
      ...found.pieces.filter(isDrawn),
      ...together.slice(0, tests.length > 0 ? 1 : 0),
      ...found.pieces.filter((piece) => !isDrawn(piece)),
      ...together.slice(tests.length > 0 ? 1 : 0),
      ...rest,
    ],
    withheld: withheld ?? [],
    notes: notes ?? [],
    empty: facts.flatMap(({ name, value }) => value === null ? [String(name)] : []),
  };
}

interface Found {
  pieces: Piece[];
  /** Single values, which are one table together. */
  facts: Values[];
  /** Estimates and tests without a picture of their own. */
  tests: Values[];
  value: Values;
  args: Readonly<Record<string, unknown>>;
}

function readOutput(output: Output, part: unknown, found: Found): void {
  const { name, help, kind } = output;
  if (isPlain(part) || Object.keys(part as object).length === 0) {
    found.facts.push({ name, value: isPlain(part) ? cellOf(part) : null });
    return;
  }
  // The levels of a table are in that table.
  if (kind === "levels" && isNamesOfTable(name, found.value)) return;
  if (kind === "estimate" && isRecord(part) && !readGroupedEstimates(part)) {
    const inner = Object.entries(part);
    if (inner.every(([, one]) => isFlat(one) && !isRecord(one))) {
      found.tests.push({ name, ...part });
      return;
    }
    const isTests = inner.every(([, one]) =>
      isPlain(one) || isRecord(one) && Object.values(one).every(isFlat)
    );
    if (isTests) {
      for (const [field, one] of inner) {
        found.tests.push({ name: `${name}.${field}`, ...isRecord(one) ? one : { value: one } });
      }
      return;
    }
  }
  const drawn = drawnOf(output, part, found);
  if (!drawn) {
    found.pieces.push({ is: "tree", name, title: { of: name }, help, path: [name] });
    return;
  }
  for (const [index, { table, picture, part: of }] of drawn.entries()) {
    found.pieces.push({
      is: "table",
      name,
      title: { of: of === undefined || of === name ? name : `${name}: ${of}` },
      help: index === 0 ? help : undefined,
      table,
      picture,
    });
  }
}

function isFlat(value: unknown): boolean {
  return isPlain(value) || Array.isArray(value) && value.every(isPlain);
}

/** How a part of some kind is drawn; `undefined` where it does not look like one. */
function drawnOf({ name, kind }: Output, part: unknown, { value, args }: Found) {
  const one = (drawn: Drawn | undefined) => drawn && [drawn];
  const plain = (table: Table | undefined) => one(table && { table, picture: undefined });
  switch (kind) {
    case "count":
      return one(readCountsByLevel(part)) ?? plain(plainTable(part));
    case "table": {
      const { rows, columns } = value;
      const rowName = typeof args.row === "string" ? args.row : "rows";
      const column = typeof args.column === "string" ? args.column : null;
      return one(readHistogram(part, column)) ??
        one(readCrosstab(part, { rows, columns, rowName })) ??
        strataOf(part, { rows, columns, rowName, name }) ??
        plain(readDescribedColumns(part)) ?? plain(plainTable(part));
    }
    case "moments":
      return one(readMeans(part)) ?? one(isCentres(name) ? readCentres(part) : undefined) ??
        plain(plainTable(part));
    case "model":
    case "estimate":
      return one(readCoefficients(part)) ?? readMeta(part) ?? readComponents(part) ??
        one(readEstimateList(part)) ??
        one(readEffects(part)) ?? readGroupedEstimates(part) ?? plain(plainTable(part));
    case "curve":
      return readSurvival(part) ?? plain(plainTable(part));
    case "quantiles":
      return one(readQuantiles(part)) ?? plain(plainTable(part));
    case "levels":
    case "setting":
      return plain(plainTable(part));
    default:
      return undefined;
  }
}

/** Of a list of means nothing else says that they are of clusters. */
function isCentres(name: string): boolean {
  return ["centres", "centers", "centroids"].includes(name);
}

function strataOf(
  part: unknown,
  { rows, columns, rowName, name }: {
    rows: unknown;
    columns: unknown;
    rowName: string;
    name: string;
  },
): Drawn[] | undefined {
  if (!isRecords(part) || !part.every((one) => "stratum" in one && "counts" in one)) {
    return undefined;
  }
  const drawn = part.map(({ stratum, counts }) => {
    const found = readCrosstab(counts, { rows, columns, rowName });
    return found && { ...found, part: `${name} = ${stratum}` };
  });
  return drawn.every((one) => one !== undefined) ? drawn : undefined;
}

function isNamesOfTable(name: string, { rows, columns, counts }: Values): boolean {
  return (name === "rows" || name === "columns") &&
    readCrosstab(counts, { rows, columns, rowName: "" }) !== undefined;
}

/** Records, a list of plain values, or a record of these. */
export function plainTable(part: unknown): Table | undefined {
  if (isRecords(part)) {
    const rows = part.map(flat);
    return rows.every((one) => Object.values(one).every(isPlain)) ? tableOf(rows) : undefined;
  }
  if (Array.isArray(part)) {
    return part.every(isPlain) ? { columns: ["value"], rows: part.map((one) => [one]) } : undefined;
  }
  if (!isRecord(part)) return undefined;
  const entries = Object.entries(part);
  if (entries.every(([, one]) => isPlain(one))) {
    return tableOf(entries.map(([name, value]) => ({ name, value })));
  }
  const isRow = (one: unknown) =>
    isPlain(one) || isRecord(one) && Object.values(one).every(isPlain);
  if (!entries.every(([, one]) => isRow(one))) {
    const named = namedTable(part, "name");
    const isTold = entries.every(([, one]) => isRecord(one)) &&
      named.rows.flat().every((cell) => !(isRecord(cell)));
    return isTold ? named : undefined;
  }
  return tableOf(
    entries.flatMap(([name, one]) =>
      isRecord(one)
        ? Object.entries(one).map(([inner, value]) => ({ name: `${name}.${inner}`, value }))
        : [{ name, value: one }]
    ),
  );
}

function readNotes({ notes }: Values, outputs: readonly Output[]): string[] | undefined {
  const isSaid = outputs.some(({ name, kind }) => name === "notes" && kind === "setting");
  const isNotes = Array.isArray(notes) && notes.every((note) => typeof note === "string");
  return isSaid && isNotes ? notes : undefined;
}

function ownTable(own: "facts" | "estimates", table: Table): Piece {
  return { is: "table", name: undefined, title: { own }, table };
}

/** A result of which nobody says what it is. */
function asTheyAre(value: unknown, hasWithheld: boolean): Piece[] {
  const title = { own: "result" as const };
  if (isRecord(value)) {
    const { withheld: _, ...rest } = value;
    const shown = hasWithheld ? rest : value;
    const entries = Object.entries(shown);
    if (entries.length > 0 && entries.every(([, one]) => isPlain(one))) {
      return [{ is: "table", name: undefined, title, table: plainTable(shown)! }];
    }
    if (entries.length === 0 && hasWithheld) return [];
  } else if (isRecords(value)) {
    const table = plainTable(value);
    if (table) return [{ is: "table", name: undefined, title, table }];
  }
  return [{ is: "tree", name: undefined, title, path: [] }];
}
