/**
 * A sheet of an Excel workbook (.xlsx).
 * @module
 */
import { readSheet } from "read-excel-file/node";
import { DataError } from "./error.ts";
import type { Cell, Rows } from "./load_rows.ts";

/**
 * Reads a sheet, the first one without a name, as v6's tools do. Its first row names the columns.
 * Throws a {@linkcode DataError} for another kind of file, a sheet that is not there, and names
 * that are missing or stand twice.
 */
export async function readExcel(path: string, sheet: string | undefined): Promise<Rows> {
  const [first, ...rows] = await readRows(path, sheet);
  if (!first) throw new DataError("Its sheet is empty: the first row must name the columns.");
  const names = first.map((cell, index) => cell === null ? `Unnamed: ${index}` : String(cell));
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) {
    const before = names.indexOf(names[twice]!);
    throw new DataError(`The columns ${before + 1} and ${twice + 1} have the same name.`);
  }
  const tooLong = rows.findIndex((row) => row.slice(names.length).some((cell) => cell !== null));
  if (tooLong >= 0) {
    throw new DataError(`Row ${tooLong + 2} goes beyond the columns that the first row names.`);
  }
  const last = rows.findLastIndex((row) => row.some((cell) => cell !== null));
  return { names, rows: rows.slice(0, last + 1) };
}

async function readRows(path: string, sheet: string | undefined): Promise<Cell[][]> {
  try {
    return await (sheet === undefined ? readSheet(path) : readSheet(path, sheet)) as Cell[][];
  } catch (cause) {
    if ((cause as Error).name === "SheetNotFoundError") {
      throw new DataError(`It has no sheet ${JSON.stringify(sheet)}.`, { cause });
    }
    throw new DataError("It is not a workbook of Excel (.xlsx).", { cause });
  }
}
