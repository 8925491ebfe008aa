/**
 * Numbers for the persons of a database that stay the same from run to run, whatever a task asks of
 * it: a file of digests of what the owner's column says, each at the place of its number. It only
 * grows.
 *
 * The digests have 53 bits and no secret: whoever reads this file can read the database.
 * @module
 */
import { createPauses } from "../../../../shared/service/pauses.ts";
import { createTurns } from "../../../../shared/service/turns.ts";
import type { Levels } from "../../algorithms/api.ts";
import { openNew, writeAll } from "../../payload/pieces.ts";
import { syncFolder } from "../../record/data_folder.ts";

export interface PersonNumbers {
  /** Of each row its person's number; new persons get theirs, durably. */
  numbersOf(column: Pick<Levels, "values" | "places">): Promise<Uint32Array>;
}

/** So many take some milliseconds. */
const AT_ONCE = 10_000;

/** Opens the file `name` in `folder`; an end that a crash has torn is cut off. */
export async function openPersonNumbers(folder: string, name: string): Promise<PersonNumbers> {
  const path = `${folder}/${name}`;
  const stored = await Deno.readFile(path).catch(async (error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    (await openNew(path)).close();
    await syncFolder(folder);
    return new Uint8Array();
  });
  const whole = stored.length - stored.length % 8;
  if (whole < stored.length) await Deno.truncate(path, whole);
  const table = createTable();
  const digests = new Float64Array(stored.slice(0, whole).buffer);
  table.makeRoom(digests.length);
  for (let number = 0; number < digests.length; number++) table.numberOf(digests[number]!);
  let onDisk = table.size;
  const inTurn = createTurns(1);

  /** Resolves once all that have a number are on the disk; others may number at the same time. */
  function written(): Promise<void> {
    return inTurn(async () => {
      const to = table.size;
      if (to > onDisk) await append(path, table.digests(onDisk, to));
      onDisk = to;
    });
  }

  return {
    async numbersOf({ values, places }) {
      const numberOf = new Uint32Array(values.length);
      const pause = createPauses();
      table.makeRoom(values.length);
      for (let place = 0; place < values.length; place++) {
        if (place % AT_ONCE === AT_ONCE - 1) await pause();
        numberOf[place] = table.numberOf(digestOf(String(values[place])));
      }
      const numbers = new Uint32Array(places.length);
      let missing = -1;
      for (let row = 0; row < places.length; row++) {
        const place = places[row]!;
        // Rows without a value count as one person together.
        if (place < 0 && missing < 0) missing = table.numberOf(0);
        numbers[row] = place < 0 ? missing : numberOf[place]!;
      }
      await written();
      return numbers;
    },
  };
}

async function append(path: string, digests: Float64Array): Promise<void> {
  using file = await Deno.open(path, { append: true });
  await writeAll(file, new Uint8Array(digests.buffer, digests.byteOffset, digests.byteLength));
  await file.syncData();
}

/** Numbers by digest, in two flat arrays: a map of a million takes ten times as much memory. */
function createTable() {
  let slots = new Uint32Array(1024);
  let digests = new Float64Array(512);
  let size = 0;

  function slotOf(digest: number): number {
    const mask = slots.length - 1;
    let slot = (digest >>> 0) & mask;
    while (slots[slot] !== 0 && digests[slots[slot]! - 1] !== digest) slot = (slot + 1) & mask;
    return slot;
  }

  /** Makes room for so many, at least. */
  function resize(count: number): void {
    const before = digests.subarray(0, size);
    slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count)));
    digests = new Float64Array(slots.length / 2);
    digests.set(before);
    for (let number = 0; number < size; number++) slots[slotOf(digests[number]!)] = number + 1;
  }

  return {
    get size() {
      return size;
    },
    /** The number of a digest, a new one if need be. */
    numberOf(digest: number): number {
      const slot = slotOf(digest);
      if (slots[slot] !== 0) return slots[slot]! - 1;
      digests[size] = digest;
      slots[slot] = ++size;
      if (size === digests.length) resize(2 * size);
      return size - 1;
    },
    /** For so many in all: moving them again and again takes longer than anything else. */
    makeRoom(count: number): void {
      if (count >= digests.length) resize(count + 1);
    },
    digests: (from: number, to: number) => digests.slice(from, to),
  };
}

/** 53 bits of a text, from two sums that are mixed at their end. */
function digestOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return 0x100000000 * (high & 0x1fffff) + (low >>> 0);
}
