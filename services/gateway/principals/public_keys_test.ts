import assert from "node:assert/strict";
import type { Ask } from "../../../shared/messages/questions.ts";
import { createPublicKeys } from "./public_keys.ts";

/** Stands for identity; counts how often it is asked. */
function world() {
  const state = { asked: 0, at: 1_000_000, kids: ["a"], hold: Promise.resolve() };
  const ask = (async () => {
    state.asked++;
    const known = state.kids.map((kid) => ({ kid }));
    await state.hold;
    return known;
  }) as unknown as Ask;
  return { state, keys: createPublicKeys({ ask, now: () => state.at, pauseMs: 1000 }) };
}

Deno.test("createPublicKeys() asks once for all who want a key at the same time", async () => {
  const { state, keys } = world();
  const found = await Promise.all(Array.from({ length: 50 }, () => keys.of("a")));
  assert.equal(found.filter((one) => one?.kid === "a").length, 50);
  await keys.of("a");
  assert.equal(state.asked, 1);
});

Deno.test("createPublicKeys() asks once for 500 tokens that name unknown keys", async () => {
  const { state, keys } = world();
  await keys.of("a");
  const unknown = Array.from({ length: 500 }, (_, index) => `unknown-${index}`);
  for (const kid of unknown.slice(0, 250)) assert.equal(await keys.of(kid), undefined);
  const found = await Promise.all(unknown.slice(250).map((kid) => keys.of(kid)));
  assert.ok(found.every((one) => one === undefined));
  assert.equal(state.asked, 2);
  // Known keys go on meanwhile, without a question.
  assert.equal((await keys.of("a"))?.kid, "a");
  assert.equal(state.asked, 2);
});

Deno.test("createPublicKeys() finds a new key at once, and after the pause when strangers asked before", async () => {
  const { state, keys } = world();
  await keys.of("a");
  state.kids = ["a", "b"];
  assert.equal((await keys.of("b"))?.kid, "b");
  assert.equal(await keys.of("stranger"), undefined);
  state.kids = ["a", "b", "c"];
  assert.equal(await keys.of("c"), undefined);
  state.at += 1000;
  assert.equal((await keys.of("c"))?.kid, "c");
  assert.equal(state.asked, 4);
});

Deno.test("createPublicKeys() does not keep the answer to a question from before forget()", async () => {
  const { state, keys } = world();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.hold = promise;
  const early = keys.of("a");
  keys.forget();
  state.kids = [];
  state.hold = Promise.resolve();
  resolve();
  assert.equal(await early, undefined);
  assert.equal(await keys.of("a"), undefined);
});

Deno.test("createPublicKeys() takes no key for longer than its time that identity has no more", async () => {
  const { state, keys } = world();
  assert.equal((await keys.of("a"))?.kid, "a");
  state.kids = ["b"];
  state.at += 29_999;
  assert.equal((await keys.of("a"))?.kid, "a");
  state.at += 1;
  assert.equal(await keys.of("a"), undefined);
  assert.equal((await keys.of("b"))?.kid, "b");
  assert.equal(state.asked, 2);
});

Deno.test("createPublicKeys() makes no pause when identity cannot be asked", async () => {
  let fails = true;
  const ask =
    (() =>
      fails
        ? Promise.reject(new Error("down"))
        : Promise.resolve([{ kid: "a" }])) as unknown as Ask;
  const keys = createPublicKeys({ ask, now: () => 0 });
  await assert.rejects(keys.of("a"), /down/);
  fails = false;
  assert.equal((await keys.of("a"))?.kid, "a");
});
