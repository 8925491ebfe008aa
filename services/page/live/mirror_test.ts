import assert from "node:assert/strict";
import { createMirror } from "./mirror.ts";

/** A hub whose answers come when the test says so. */
function controlled() {
  const asked: PromiseWithResolvers<number[]>[] = [];
  const shown: number[][] = [];
  const errors: unknown[] = [];
  const mirror = createMirror<number[], number>({
    ask() {
      asked.push(Promise.withResolvers<number[]>());
      return asked.at(-1)!.promise;
    },
    fold: (value, events) => {
      const fresh = events.filter((one) => one > 0 && !value.includes(one));
      return fresh.length > 0 ? [...value, ...fresh] : value;
    },
    isStale: (_, events) => events.includes(-1),
    onValue: (value) => shown.push(value),
    onError: (error) => errors.push(error),
    pauseMs: 0,
  });
  return { mirror, asked, shown, errors };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("a mirror puts what happened while it asked on top of the answer", async () => {
  const { mirror, asked, shown } = controlled();
  mirror.hear({ events: [2], afresh: false });
  asked[0]!.resolve([1]);
  await turn();
  assert.deepEqual(shown, [[1, 2]]);
  mirror.hear({ events: [3, 4], afresh: false });
  mirror.hear({ events: [], afresh: false });
  mirror.hear({ events: [4], afresh: false });
  assert.deepEqual(shown.slice(1), [[1, 2, 3, 4]], "what changes nothing draws nothing");
  mirror.stop();
});

Deno.test("a mirror asks again after a gap, and for what only the hub can tell, once", async () => {
  const { mirror, asked, shown } = controlled();
  asked[0]!.resolve([1]);
  await turn();
  mirror.hear({ events: [-1], afresh: true });
  mirror.hear({ events: [-1], afresh: true });
  await turn();
  assert.equal(asked.length, 2);
  mirror.hear({ events: [-1], afresh: false });
  await turn();
  assert.equal(asked.length, 2, "not while it asks");
  asked[1]!.resolve([7]);
  await turn();
  await turn();
  assert.equal(asked.length, 3, "but then: the answer may have been too early");
  assert.deepEqual(shown.at(-1), [7]);
  mirror.stop();
});

Deno.test("a mirror tells of errors, and of nothing after its end", async () => {
  const { mirror, asked, shown, errors } = controlled();
  asked[0]!.reject(new Error("away"));
  await turn();
  assert.equal(errors.length, 1);
  mirror.again();
  mirror.again();
  asked[1]!.resolve([1]);
  asked[2]!.resolve([2]);
  await turn();
  assert.deepEqual(shown, [[2]], "an answer that nobody waits for any more is dropped");
  mirror.again();
  mirror.stop();
  asked[3]!.resolve([3]);
  mirror.hear({ events: [4], afresh: true });
  await turn();
  assert.deepEqual([shown, asked.length], [[[2]], 4]);
});

Deno.test("a mirror asks again for what had no answer when the hub is back, and not before", async () => {
  const { mirror, asked, shown, errors } = controlled();
  asked[0]!.reject(new Error("cut off"));
  await turn();
  mirror.hear({ events: [2], afresh: false });
  await turn();
  assert.deepEqual([asked.length, errors.length], [1, 1]);
  mirror.hear({ events: [], afresh: false, isBack: true });
  await turn();
  assert.equal(asked.length, 2);
  // It comes back while a question is under way that will have no answer.
  mirror.hear({ events: [], afresh: false, isBack: true });
  asked[1]!.reject(new Error("cut off"));
  await turn();
  await turn();
  asked[2]!.resolve([1, 2]);
  await turn();
  assert.deepEqual(shown, [[1, 2]]);
  mirror.hear({ events: [], afresh: false, isBack: true });
  await turn();
  assert.equal(asked.length, 3, "what has an answer is not asked for again");
  mirror.stop();
});
