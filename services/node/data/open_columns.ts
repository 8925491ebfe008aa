/**
 * A file of typed columns as the node itself looks at it.
 * @module
 */
import type { Column } from "../algorithms/api.ts";
import { readColumn, readFoot } from "./columns_file.ts";

export interface OpenColumns {
  /** Rows. */
  length: number;
  has(name: string): boolean;
  /** Throws for a column that is not there. */
  column(name: string): Column;
  /** Of each row its place in the source; undefined where these are all rows of it. */
  places(): Uint32Array | undefined;
  [Symbol.dispose](): void;
}

/** Opens the file of columns at `path`. */
export function openColumns(path: string): OpenColumns {
  const file = Deno.openSync(path);
  function read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) throw new TypeError("This file of columns is cut off");
      done += count;
    }
    return bytes;
  }
  try {
    const { columns, length, placesAt } = readFoot(read, file.statSync().size);
    return {
      length,
      has: (name) => columns.some((column) => column.name === name),
      column: (name) => readColumn(read, length, columns.find((one) => one.name === name)!),
      places: () =>
        placesAt === undefined ? undefined : new Uint32Array(read(placesAt, 4 * length).buffer),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
