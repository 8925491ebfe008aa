import assert from "node:assert/strict";
import { apiFilters, areUsual, readFilters, writeFilters } from "./filters.ts";

const read = (text: string) => readFilters(new URLSearchParams(text));

Deno.test("filters of the address come back as they were, and the usual ones stand not in it", () => {
  const text = "search=a%26b&status=failed&collaboration=3&whose=own&from=2026-03-01" +
    "&till=2026-03-02&subtasks=yes&page=4";
  const written = Object.entries(writeFilters(read(text)))
    .flatMap(([name, value]) => value ? [[name, value]] : []);
  assert.equal(new URLSearchParams(written).toString(), text);
  assert.deepEqual(Object.values(writeFilters(read(""))).filter(Boolean), []);
  assert.equal(areUsual(read("page=3")), true);
  assert.equal(areUsual(read("search=x")), false);
});

Deno.test("filters of the address that mean nothing are left out", () => {
  assert.deepEqual(read("collaboration=x&page=-1&from=2026-13-01&till=yesterday"), read(""));
});

Deno.test("filters bound whole days of the reader's zone", () => {
  const { created_from, created_till } = apiFilters(read("from=2026-03-01&till=2026-03-01"), 1);
  assert.equal(created_from, new Date(2026, 2, 1).toISOString());
  assert.equal(created_till, new Date(2026, 2, 1, 23, 59, 59, 999).toISOString());
});

Deno.test("filters ask for the reader's own tasks, and for subtasks only when they are wanted", () => {
  assert.deepEqual(apiFilters(read("whose=own"), 7), { init_user_id: 7, is_user_created: 1 });
  assert.deepEqual(apiFilters(read("subtasks=yes"), 7), {});
});
