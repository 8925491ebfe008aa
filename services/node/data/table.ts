/**
 * A file of typed columns as the read-only table that algorithms see. Runs in the sandbox.
 *
 * What an error here says travels to the researcher. It may name the column that was asked for, and
 * rows, but no value; and the table's other columns only where the owner lets their names leave.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import type { Column, Table } from "../algorithms/api.ts";
import { type ColumnFoot, readColumn, readFloats, readFoot, readLevels } from "./columns_file.ts";

/** A database cannot be used as the algorithm asked. */
export class TableError extends Error {
  override name = "TableError";
}

/** Column names in one message. */
const NAMES_SHOWN = 40;

/**
 * Opens the file of columns at `path`; `label` names the database in messages. A column is read
 * when it is asked for. `tellsRows` is whether they may say which row is no number: of one person,
 * perhaps.
 */
export function openTable(
  label: string,
  path: string,
  { tellsRows = true }: { tellsRows?: boolean } = {},
): Table {
  const file = Deno.openSync(path);
  function read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) throw new TableError(`The database "${label}" is cut off.`);
      done += count;
    }
    return bytes;
  }
  const { columns, length, namesMayLeave, placesAt } = readFoot(read, file.statSync().size);
  const names = columns.map(({ name }) => name);

  function find(name: string): ColumnFoot {
    const found = columns.find((column) => column.name === name);
    if (found) return found;
    throw new TableError(
      `The database "${label}" has no column "${name}"${
        namesMayLeave ? suggestion(String(name), names) : "."
      }`,
    );
  }

  return {
    columns: names,
    length,
    isFiltered: placesAt !== undefined,
    column: (name): Column => readColumn(read, length, find(name)),
    numeric(name) {
      const { values } = readColumn(read, length, findNumeric(name));
      return values as (number | null)[];
    },
    floats: (name) => readFloats(read, length, findNumeric(name)),
    levels: (name) => readLevels(read, length, find(name)),
    booleans: (name) => typed(name, "boolean") as (boolean | null)[],
    dates: (name) => typed(name, "date") as (string | null)[],
  };

  function typed(name: string, type: "boolean" | "date"): unknown[] {
    const foot = find(name);
    if (foot.type === type) return readColumn(read, length, foot).values;
    throw new TableError(
      `The column "${name}" of the database "${label}" holds no ${type}s: it holds ` +
        `${foot.type === "text" ? "text" : `${foot.type}s`}.`,
    );
  }

  function findNumeric(name: string): ColumnFoot {
    const foot = find(name);
    if (foot.type === "number") return foot;
    const { type, otherThanNumber: row } = foot;
    throw new TableError(
      `The column "${name}" of the database "${label}" is not numeric: ` +
        (row === undefined || !tellsRows
          ? `it holds ${type === "text" ? type : `${type}s`}.`
          : `row ${row} below the first line holds something other than a number.`),
    );
  }
}

function suggestion(name: string, names: readonly string[]): string {
  const near = closest(name, names);
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return `${near ? `; did you mean "${near}"?` : "."} It has: ${shown}${more}.`;
}
