import assert from "node:assert/strict";
import { z } from "zod";
import type { Calls } from "./calls.ts";
import { createList } from "./lists.ts";

interface Entry {
  id: number;
}

/** A hub whose list of entries, the newest first, is changed after each question. */
function hubOf(entries: Entry[], change: (asked: number) => void) {
  let asked = 0;
  async function answer(
    _method: string,
    _path: string,
    schema: z.ZodType,
    { query }: { query: { page: number; per_page: number } },
  ) {
    const { page, per_page } = query;
    const from = (page - 1) * per_page;
    const sorted = entries.toSorted((a, b) => b.id - a.id);
    const next = from + per_page < sorted.length ? { next: `/run?page=${page + 1}` } : {};
    const value = schema.parse({
      data: sorted.slice(from, from + per_page),
      links: { self: `/run?page=${page}`, ...next },
    });
    const headers = new Headers({ "total-count": String(sorted.length) });
    change(++asked);
    return await Promise.resolve({ value, headers });
  }
  return { calls: { answer } as unknown as Calls, asked: () => asked };
}

async function readAll(calls: Calls): Promise<number[]> {
  const item = z.object({ id: z.number() });
  const list = createList(calls, {
    path: "/run",
    item,
    filters: { state: "open" },
    options: { perPage: 3 },
  });
  return (await Array.fromAsync(list)).map(({ id }) => id);
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ id: i + 1 }));
const remove = (entries: Entry[], ...ids: number[]) => {
  for (const id of ids) entries.splice(entries.findIndex((one) => one.id === id), 1);
};

Deno.test("a list that stands still is read once, page by page", async () => {
  const hub = hubOf(numbered(7), () => {});
  assert.deepEqual(await readAll(hub.calls), [7, 6, 5, 4, 3, 2, 1]);
  assert.equal(hub.asked(), 3);
});

Deno.test("entries that go meanwhile keep none of the others from being read", async () => {
  const entries = numbered(12);
  const hub = hubOf(entries, (asked) => {
    // Those that are open end while the list is read: the ones behind them move up.
    if (asked === 1) remove(entries, 12, 11);
    if (asked === 3) remove(entries, 10, 9, 8, 7);
  });
  const read = await readAll(hub.calls);
  assert.deepEqual([...new Set(read)].length, read.length);
  for (const { id } of entries) assert.ok(read.includes(id), `${id} is on the list`);
});

Deno.test("entries that are all gone but the read ones end a list", async () => {
  const entries = numbered(9);
  const hub = hubOf(entries, (asked) => {
    if (asked === 1) entries.splice(0, 9);
  });
  assert.deepEqual(await readAll(hub.calls), [9, 8, 7]);
});

Deno.test("entries that come meanwhile make none come twice", async () => {
  const entries = numbered(7);
  const hub = hubOf(entries, (asked) => void entries.push({ id: 7 + asked }));
  assert.deepEqual((await readAll(hub.calls)).slice(0, 7), [7, 6, 5, 4, 3, 2, 1]);
});
