/**
 * How many different ones there are among many whole numbers that begin at 0, such as those of
 * persons. Arrays and bits: sets of a million numbers take a hundred times as long.
 * @module
 */
import type { Places } from "./grouping.ts";

/** Of each row its place, as numbers without any that is missing: those are one number together. */
export function numbersWithout(places: Int32Array): Uint32Array {
  const found = new Uint32Array(places.length);
  const missing = largestOf(places) + 1;
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    found[row] = place < 0 ? missing : place;
  }
  return found;
}

/** The largest; -1 of none. */
export function largestOf(numbers: Uint32Array | Int32Array): number {
  let most = -1;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]! > most) most = numbers[i]!;
  return most;
}

const rooms = new WeakMap<Uint32Array, number>();

/**
 * One more than the largest at least, 0 of none: the length of an array with a place for each. It
 * is looked for once, as whoever counts persons asks again and again.
 */
export function roomOf(numbers: Uint32Array): number {
  const room = rooms.get(numbers) ?? largestOf(numbers) + 1;
  rooms.set(numbers, room);
  return room;
}

/** The same numbers with their room, where that is known without looking. */
export function withRoom(numbers: Uint32Array, room: number): Uint32Array {
  rooms.set(numbers, room);
  return numbers;
}

/** Whether each is there only once. */
export function isAllDistinct(numbers: Uint32Array): boolean {
  return countDistinct(numbers) === numbers.length;
}

const commonest = new WeakMap<Uint32Array, number>();

/** How often the one is there that is there most; looked for once, as their room is. */
export function mostOf(numbers: Uint32Array): number {
  const known = commonest.get(numbers);
  if (known !== undefined) return known;
  const rows = new Uint32Array(roomOf(numbers));
  for (let row = 0; row < numbers.length; row++) rows[numbers[row]!]!++;
  const most = largestOf(rows);
  commonest.set(numbers, most);
  return most;
}

export function countDistinct(numbers: Uint32Array): number {
  const seen = new Uint8Array(roomOf(numbers));
  let count = 0;
  for (let i = 0; i < numbers.length; i++) {
    count += 1 - seen[numbers[i]!]!;
    seen[numbers[i]!] = 1;
  }
  return count;
}

/** Places that one pass over the rows can tell apart: the bits of a number. */
const AT_ONCE = 32;

/**
 * How many different ones there are among the rows at each of so many places; rows at -1, or at
 * `NaN`, are at none, nor are those for which `within` has 0.
 */
export function distinctByPlace(
  numbers: Uint32Array,
  places: Int32Array | Float64Array,
  { size, within }: { size: number; within: Uint8Array | undefined },
): number[] {
  return size <= AT_ONCE
    ? byBits(numbers, places, { size, within })
    : byOrder(numbers, places, { size, within });
}

/** Beyond so many, whoever was seen already is not looked for in a list. */
const MOST_LISTED = 32;

/**
 * The same, counted no further than `most` at each place: of all numbers, or, where none are given,
 * of rows. It ends as soon as there are so many at each place, which is among the first rows of
 * nearly every column.
 */
export function distinctUpTo(
  most: number,
  numbers: Uint32Array | undefined,
  places: Places | Float64Array,
  { size, within, numberOf }: {
    size: number;
    within?: Uint8Array | undefined;
    /** Where these are not the places themselves: of each its new one, -1 for none. */
    numberOf?: readonly number[] | undefined;
  },
): number[] {
  if (numbers && most > MOST_LISTED) {
    const moved = Int32Array.from(
      places,
      (place) => !(place >= 0) ? -1 : numberOf ? numberOf[place]! : place,
    );
    return distinctByPlace(numbers, moved, { size, within }).map((one) => Math.min(one, most));
  }
  const counts = new Array<number>(size).fill(0);
  const seen = new Uint32Array(numbers ? size * most : 0);
  let open = most > 0 ? size : 0;
  for (let row = 0; open > 0 && row < places.length; row++) {
    const given = places[row]!;
    if (!(given >= 0) || within && within[row] === 0) continue;
    const place = numberOf ? numberOf[given]! : given;
    if (place < 0) continue;
    const count = counts[place]!;
    if (count === most) continue;
    if (numbers) {
      const first = place * most;
      const end = first + count;
      let at = first;
      while (at < end && seen[at] !== numbers[row]) at++;
      if (at < end) continue;
      seen[end] = numbers[row]!;
    }
    counts[place] = count + 1;
    if (count + 1 === most) open--;
  }
  return counts;
}

type Asked = { size: number; within: Uint8Array | undefined };

function byBits(
  numbers: Uint32Array,
  places: Int32Array | Float64Array,
  { size, within }: Asked,
): number[] {
  const seenAt = new Uint32Array(roomOf(numbers));
  const counts = new Array<number>(size).fill(0);
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (!(place >= 0) || within && within[row] === 0) continue;
    const [number, bit] = [numbers[row]!, 1 << place];
    if ((seenAt[number]! & bit) !== 0) continue;
    seenAt[number]! |= bit;
    counts[place]!++;
  }
  return counts;
}

/** The rows in the order of their places, so that each place is counted by itself. */
function byOrder(
  numbers: Uint32Array,
  places: Int32Array | Float64Array,
  { size, within }: Asked,
): number[] {
  const ends = new Uint32Array(size + 1);
  const isAt = (row: number) => places[row]! >= 0 && !(within && within[row] === 0);
  for (let row = 0; row < places.length; row++) if (isAt(row)) ends[places[row]! + 1]!++;
  for (let place = 0; place < size; place++) ends[place + 1]! += ends[place]!;
  const ordered = new Uint32Array(ends[size]!);
  const next = ends.slice();
  for (let row = 0; row < places.length; row++) {
    if (isAt(row)) ordered[next[places[row]!]!++] = numbers[row]!;
  }
  const seenAt = new Int32Array(roomOf(numbers)).fill(-1);
  return Array.from({ length: size }, (_, place) => {
    let count = 0;
    for (let i = ends[place]!; i < ends[place + 1]!; i++) {
      if (seenAt[ordered[i]!] === place) continue;
      seenAt[ordered[i]!] = place;
      count++;
    }
    return count;
  });
}
