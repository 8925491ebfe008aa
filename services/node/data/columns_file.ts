/**
 * A table as typed columns in one file: the values of each column, then a foot in JSON that says
 * where a reader finds those of the one that it needs. It stands by itself because the sandbox,
 * which reads it, has no packages.
 *
 * ```
 * values  foot (JSON)  length of the foot (u32, little-endian)  "sextant columns 1\n"
 * ```
 *
 * Numbers are 64-bit floats, `NaN` where there is none. Booleans are bytes: 0, 1, or 2 where there
 * is none. Text and dates are 32-bit numbers into a list of the column's different values, which
 * follows as JSON: 0 where there is none, else 1 for the first.
 * @module
 */
import type { Column, LevelCounts, Levels } from "../algorithms/api.ts";
import { levelsOfNumbers } from "../algorithms/sextant/levels.ts";

export const MAGIC = "sextant columns 1\n";

export interface ColumnFoot {
  name: string;
  type: Column["type"];
  /** Where its values begin. */
  offset: number;
  /** Bytes of the list of different values behind them; 0 where there is none. */
  listBytes: number;
  /** Of a column that is no numbers: the first row, counted from 1, that holds something else. */
  otherThanNumber?: number | undefined;
  /** Of text, whose values are counted as they are written. */
  counted?: LevelCounts;
}

export interface TableFoot {
  /** Rows. */
  length: number;
  columns: ColumnFoot[];
  /**
   * Where the places of the rows in the source begin, 32-bit numbers; absent where these are all
   * its rows.
   */
  placesAt?: number;
  /** Whether messages for the researcher may name the columns. */
  namesMayLeave: boolean;
}

/** Bytes that one value takes. */
export const VALUE_BYTES: Readonly<Record<Column["type"], number>> = {
  number: 8,
  boolean: 1,
  text: 4,
  date: 4,
};

/** Reads bytes of the file at a place. */
export type ReadAt = (offset: number, length: number) => Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const magic = encoder.encode(MAGIC);

/** What ends a file of columns. */
export function encodeFoot(foot: TableFoot): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(JSON.stringify(foot));
  const bytes = new Uint8Array(text.length + 4 + magic.length);
  bytes.set(text);
  new DataView(bytes.buffer).setUint32(text.length, text.length, true);
  bytes.set(magic, text.length + 4);
  return bytes;
}

/** The foot of a file of `size` bytes. */
export function readFoot(read: ReadAt, size: number): TableFoot {
  const end = read(size - magic.length - 4, magic.length + 4);
  if (!magic.every((byte, index) => end[index + 4] === byte)) {
    throw new TypeError("This is no file of columns");
  }
  const length = new DataView(end.buffer, end.byteOffset).getUint32(0, true);
  return JSON.parse(decoder.decode(read(size - end.length - length, length)));
}

/** The values of one column, in the order of the rows. */
export function readColumn(
  read: ReadAt,
  length: number,
  { name, type, offset, listBytes }: ColumnFoot,
): Column {
  const bytes = read(offset, length * VALUE_BYTES[type]);
  if (type === "number") {
    const values: (number | null)[] = Array.from(new Float64Array(bytes.buffer));
    // An array of numbers alone is fast; only one with missing values is touched again.
    for (let row = 0; row < length; row++) if (Number.isNaN(values[row])) values[row] = null;
    return { name, type, values };
  }
  if (type === "boolean") {
    return { name, type, values: Array.from(bytes, (byte) => byte > 1 ? null : byte === 1) };
  }
  const list = read(offset + bytes.length, listBytes);
  const different: string[] = JSON.parse(decoder.decode(list));
  const places = Array.from(new Uint32Array(bytes.buffer));
  return { name, type, values: places.map((place) => place === 0 ? null : different[place - 1]!) };
}

/** The values of a column of numbers as they lie in the file. */
export function readFloats(
  read: ReadAt,
  length: number,
  { offset }: ColumnFoot,
): Float64Array<ArrayBuffer> {
  return new Float64Array(read(offset, length * VALUE_BYTES.number).buffer);
}

/** A column by its different values, read when they are asked for. */
export function readLevels(read: ReadAt, length: number, foot: ColumnFoot): Levels {
  const { type, offset, listBytes, counted } = foot;
  if (type === "number") return levelsOfNumbers(readFloats(read, length, foot));
  let values: Levels["values"] | undefined = type === "boolean" ? [false, true] : undefined;
  let places: Levels["places"] | undefined;
  let numbers: Levels["numbers"];
  return {
    type,
    counted,
    get values() {
      const at = offset + length * VALUE_BYTES[type];
      return values ??= JSON.parse(decoder.decode(read(at, listBytes))) as string[];
    },
    get places() {
      return places ??= placesIn(read(offset, length * VALUE_BYTES[type]), type);
    },
    get numbers() {
      if (!counted) return undefined;
      return numbers ??= new Uint32Array(read(offset, length * VALUE_BYTES[type]).buffer);
    },
  };
}

function placesIn(bytes: Uint8Array<ArrayBuffer>, type: Column["type"]): Levels["places"] {
  if (type === "boolean") {
    const places = new Int32Array(bytes.length);
    for (let row = 0; row < places.length; row++) places[row] = bytes[row]! > 1 ? -1 : bytes[row]!;
    return places;
  }
  const places = new Int32Array(bytes.buffer);
  for (let row = 0; row < places.length; row++) places[row]! -= 1;
  return places;
}

/** The foot of the file at `path`. */
export function readFootOf(path: string): TableFoot {
  using file = Deno.openSync(path);
  return readFoot((offset, length) => {
    const bytes = new Uint8Array(length);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) throw new TypeError("This file of columns is cut off");
      done += count;
    }
    return bytes;
  }, file.statSync().size);
}
