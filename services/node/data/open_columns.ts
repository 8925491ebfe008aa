/**
 * A file of typed columns as the node itself looks at it.
 * @module
 */
import type { Levels } from "../algorithms/api.ts";
import { readFloats, readFoot, readLevels } from "./columns_file.ts";

export interface OpenColumns {
  /** Rows. */
  length: number;
  /** Whether a task's preprocessing chose them. */
  isFiltered: boolean;
  has(name: string): boolean;
  /**
   * A column as a list of values and of each row the place of its own there, -1 where there is
   * none. Each number is a value by itself: to find the same ones takes longer than to read them.
   * Throws for a column that is not there.
   */
  values(name: string): Pick<Levels, "values" | "places">;
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
      isFiltered: placesAt !== undefined,
      has: (name) => columns.some((column) => column.name === name),
      values(name) {
        const foot = columns.find((column) => column.name === name)!;
        if (foot.type !== "number") return readLevels(read, length, foot);
        const numbers = readFloats(read, length, foot);
        const places = new Int32Array(length);
        for (let row = 0; row < length; row++) places[row] = Number.isNaN(numbers[row]) ? -1 : row;
        return { values: Array.from(numbers), places };
      },
      places: () =>
        placesAt === undefined ? undefined : new Uint32Array(read(placesAt, 4 * length).buffer),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
