import assert from "node:assert/strict";
import { Hono } from "hono";
import { dateText, integer, isoDate, name, queryBoolean, queryDate, text } from "./fields.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "./paging.ts";
import { referTo } from "./references.ts";

Deno.test("dateText() is naive UTC with microseconds only when there are any", () => {
  assert.equal(dateText(new Date("2026-03-24T10:00:00.123Z")), "2026-03-24T10:00:00.123000");
  assert.equal(dateText(new Date("2026-03-24T10:00:00Z")), "2026-03-24T10:00:00");
  assert.equal(dateText(null), null);
});

Deno.test("referTo() is null for no relation", () => {
  assert.equal(referTo("task", null), null);
  assert.equal(referTo("task", 5)?.link, "/api/task/5");
});

Deno.test("queryBoolean reads what Python writes", () => {
  for (const yes of ["True", "true", "1"]) assert.equal(queryBoolean.parse(yes), true);
  for (const no of ["False", "false", "0"]) assert.equal(queryBoolean.parse(no), false);
  assert.equal(queryBoolean.safeParse("perhaps").success, false);
});

Deno.test("integer takes numbers and digits, never booleans or what the database cannot hold", () => {
  assert.equal(integer.parse(5), 5);
  assert.equal(integer.parse("5"), 5);
  for (const bad of [true, 1.5, "five", null, 2 ** 31, "99999999999"]) {
    assert.equal(integer.safeParse(bad).success, false, String(bad));
  }
});

Deno.test("name refuses digits alone, emptiness and NUL", () => {
  assert.equal(name.parse("Clinic 1"), "Clinic 1");
  for (const bad of ["", "123", "x".repeat(129), "a\0b", 5]) {
    assert.equal(name.safeParse(bad).success, false, String(bad));
  }
  assert.equal(text.safeParse("a\0").success, false);
});

Deno.test("queryDate takes days and instants, naive ones as UTC", () => {
  assert.equal(queryDate.parse("2026-03-24").toISOString(), "2026-03-24T00:00:00.000Z");
  assert.equal(queryDate.parse("2026-03-24T10:00:00").toISOString(), "2026-03-24T10:00:00.000Z");
  assert.equal(queryDate.safeParse("soon").success, false);
  assert.equal(queryDate.parse("0001-01-01").toISOString(), "0001-01-01T00:00:00.000Z");
  const never = ["0000-01-01", "0000-12-31T23:59:59Z", "0001-01-01T00:00+14:00"];
  for (const bad of [...never, "9999-12-31T23:00:00-02:00"]) {
    assert.equal(queryDate.safeParse(bad).success, false, bad);
    assert.equal(isoDate.safeParse(bad).success, false, bad);
  }
});

Deno.test("pageWindow() returns everything when no page is asked for", () => {
  assert.deepEqual(pageWindow({}), { limit: undefined, offset: 0 });
  assert.deepEqual(pageWindow({ page: 3 }), { limit: 10, offset: 20 });
  assert.deepEqual(pageWindow({ per_page: 5, page: 2 }), { limit: 5, offset: 5 });
});

Deno.test("parseSort() refuses a field that is no column", () => {
  const columns = ["id", "name"];
  const fallback = { column: "id", descending: false };
  assert.deepEqual(parseSort(undefined, columns, fallback), [fallback]);
  assert.deepEqual(parseSort("-id,name", columns, fallback), [
    { column: "id", descending: true },
    { column: "name", descending: false },
  ]);
  assert.throws(() => parseSort("password_hash", columns, fallback), { status: 400 });
  assert.deepEqual(parseSort("-id,name,id,-name,-id", columns, fallback), [
    { column: "id", descending: true },
    { column: "name", descending: false },
  ]);
});

async function links(path: string, total: number) {
  const app = new Hono().get(
    "/api/user",
    (c) => pageAnswer(c, [], total, pageQuery.parse(c.req.query())),
  );
  const response = await app.request(path);
  return { links: (await response.json()).links, headers: response.headers };
}

Deno.test("pageAnswer() links repeat the query and leave out what does not exist", async () => {
  const middle = await links("/api/user?per_page=3&page=2&name=a", 9);
  assert.deepEqual(Object.keys(middle.links), ["first", "previous", "self", "next", "last"]);
  assert.equal(middle.links.next, "/api/user?per_page=3&page=3&name=a");
  assert.equal(middle.headers.get("total-count"), "9");
  const beyond = await links("/api/user?per_page=3&page=40", 9);
  assert.deepEqual(Object.keys(beyond.links), ["first", "previous", "self", "last"]);
  assert.equal(beyond.links.previous, beyond.links.last);
  assert.equal(beyond.links.last, "/api/user?per_page=3&page=3");
  const none = await links("/api/user?per_page=3&page=40", 0);
  assert.deepEqual(Object.keys(none.links), ["first", "previous", "self"]);
  assert.equal(none.links.previous, none.links.first);
  assert.deepEqual(Object.keys((await links("/api/user?page=1", 0)).links), ["first", "self"]);
  assert.deepEqual(Object.keys((await links("/api/user", 25)).links), ["first", "self", "last"]);
});

Deno.test("queryDate means UTC, wherever the server stands, and takes no other text for a date", () => {
  const zone = Deno.env.get("TZ");
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    for (
      const [given, meant] of [
        ["2026-03-24", "2026-03-24T00:00:00.000Z"],
        ["2026-03-24T10:00:00.5", "2026-03-24T10:00:00.500Z"],
        ["2026-03-24 10:00:00", "2026-03-24T10:00:00.000Z"], // Python's str()
        ["2026-03-24T10:00:00+02:00", "2026-03-24T08:00:00.000Z"],
        ["2026-03-24T10:00+0230", "2026-03-24T07:30:00.000Z"],
        ["2026-03-24T10:00:00 z", "2026-03-24T10:00:00.000Z"],
        ["2028-02-29", "2028-02-29T00:00:00.000Z"],
      ]
    ) assert.equal(queryDate.parse(given).toISOString(), meant, given);
    for (
      const bad of ["1", "2026", "March 24", "yesterday", "2026-13-01", "2026-02-30", "2026-02-29"]
    ) {
      assert.equal(queryDate.safeParse(bad).success, false, bad);
    }
  } finally {
    if (zone === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", zone);
  }
});

Deno.test("queryDate takes what v6's database takes, and no day that does not exist", () => {
  const day = Date.parse("2026-03-04T00:00:00Z");
  for (
    const value of ["2026-03-04", "2026-3-4", "2026/03/04", "2026/3/4", "20260304", " 2026-3-4 "]
  ) {
    assert.equal(queryDate.parse(value).getTime(), day, value);
  }
  assert.equal(queryDate.parse("2026-3-4 10:00").getTime(), day + 36_000_000);
  assert.equal(queryDate.parse("20260304T10:00:00+01:00").getTime(), day + 32_400_000);
  for (
    const value of ["2026-2-30", "2026-13-1", "2026304", "2026-03/04", "202603040", "March", ""]
  ) {
    assert.equal(queryDate.safeParse(value).success, false, value);
  }
});
