/**
 * A column by its different values: whole numbers in place of text, which are counted and compared
 * in a hundredth of the time.
 * @module
 */
import type { Column, Levels } from "./api.ts";

/** Where numbers are whole, and few for so many rows, each has a place of its own in an array. */
const ROOM_FOR_FEW = 1024;

/** The different numbers, in the order in which they come; `NaN` is none. */
export function levelsOfNumbers(numbers: Float64Array): Levels {
  const places = new Int32Array(numbers.length);
  const values: number[] = [];
  const { least, room } = rangeOf(numbers);
  const byOffset = new Int32Array(room).fill(-1);
  const byNumber = new Map<number, number>();
  for (let row = 0; row < numbers.length; row++) {
    const number = numbers[row]!;
    if (Number.isNaN(number)) {
      places[row] = -1;
      continue;
    }
    let place = room > 0 ? byOffset[number - least]! : byNumber.get(number) ?? -1;
    if (place < 0) {
      place = values.push(number) - 1;
      if (room > 0) byOffset[number - least] = place;
      else byNumber.set(number, place);
    }
    places[row] = place;
  }
  return { type: "number", values, places };
}

/**
 * From the least number on, how many whole ones there are up to the largest; 0 where not all are,
 * or too many are between them for so many rows.
 */
export function rangeOf(
  numbers: ArrayLike<number>,
  rows = numbers.length,
): { least: number; room: number } {
  let [least, most] = [Infinity, -Infinity];
  for (let row = 0; row < numbers.length; row++) {
    const number = numbers[row]!;
    if (Number.isNaN(number)) continue;
    if (!Number.isInteger(number)) return { least: 0, room: 0 };
    if (number < least) least = number;
    if (number > most) most = number;
  }
  const room = most - least + 1;
  return room > 0 && room <= ROOM_FOR_FEW + 4 * rows ? { least, room } : { least: 0, room: 0 };
}

/** The same of values. */
export function levelsOfColumn({ type, values: given }: Column): Levels {
  const known = new Map<unknown, number>();
  const places = new Int32Array(given.length).fill(-1);
  for (let row = 0; row < given.length; row++) {
    const value = given[row]!;
    if (value === null) continue;
    let place = known.get(value);
    if (place === undefined) known.set(value, place = known.size);
    places[row] = place;
  }
  return { type, values: [...known.keys()] as Levels["values"], places };
}
