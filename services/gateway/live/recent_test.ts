import assert from "node:assert/strict";
import { BATCH, BATCH_BYTES, createRecent, type Recent } from "./recent.ts";

const event = {
  name: "node.changed" as const,
  at: "2026-03-24T10:00:00.000Z",
  data: { node_id: 1, organization_id: 1, collaboration_id: 1 },
};

function fill(recent: Recent, count: number, size: number) {
  for (let seq = 1; seq <= count; seq++) recent.add({ seq, event, size });
}

/** The places of everything that is kept, and how many answers it took. */
function readAll(recent: Recent, last: number) {
  const answers: number[][] = [];
  for (let place = recent.from; place < last;) {
    const { entries, complete } = recent.after(place);
    answers.push(entries.map((entry) => entry.seq));
    place = entries.at(-1)!.seq;
    assert.equal(complete, place === last);
  }
  return answers;
}

Deno.test("recent events are bounded in number", () => {
  const recent = createRecent({ keep: 10 });
  for (const count of [20, 21, 1000]) {
    recent.clear(0);
    fill(recent, count, 1);
    assert.ok(count - recent.from >= 10 && count - recent.from <= 20, `from ${recent.from}`);
    assert.equal(readAll(recent, count).flat()[0], recent.from + 1);
  }
});

Deno.test("recent events are bounded in bytes", () => {
  const recent = createRecent({ keep: 1000, keepBytes: 100 });
  fill(recent, 57, 10);
  assert.ok(57 - recent.from >= 5 && 57 - recent.from <= 10, `from ${recent.from}`);
  assert.deepEqual(readAll(recent, 57).flat().length, 57 - recent.from);
});

Deno.test("the newest event is kept, however large it is", () => {
  const recent = createRecent({ keepBytes: 100 });
  fill(recent, 3, 500);
  assert.deepEqual(readAll(recent, 3), [[3]]);
});

Deno.test("an answer is bounded in number and in bytes", () => {
  const small = createRecent({});
  fill(small, 600, 100);
  assert.deepEqual(readAll(small, 600).map((answer) => answer.length), [BATCH, BATCH, 88]);
  const large = createRecent({});
  fill(large, 6, BATCH_BYTES / 2);
  assert.deepEqual(readAll(large, 6), [[1, 2], [3, 4], [5, 6]]);
  const huge = createRecent({});
  fill(huge, 2, BATCH_BYTES + 1);
  assert.deepEqual(readAll(huge, 2), [[1], [2]]);
});

Deno.test("after clear() nothing is left, and the next ones come after that place", () => {
  const recent = createRecent({});
  fill(recent, 5, 1);
  recent.clear(7);
  assert.equal(recent.from, 7);
  assert.deepEqual(recent.after(7), { entries: [], complete: true });
  recent.add({ seq: 8, event, size: 1 });
  assert.deepEqual(readAll(recent, 8), [[8]]);
});
