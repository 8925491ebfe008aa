import assert from "node:assert/strict";
import { Interruption } from "./interruption.ts";
import { endedAtOnce, followToEnd, KILLED } from "./outcome.ts";
import type { Outcome, RunHandle } from "./runtime.ts";

/** A run that ends as it is told, or by a kill, and notes when it is released. */
function startRun(): { handle: RunHandle; end(outcome: Partial<Outcome>): void; calls: string[] } {
  const calls: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const common = {
    log: "",
    release() {
      calls.push("release");
      return Promise.resolve();
    },
  };
  return {
    calls,
    end: (outcome) =>
      resolve({ ...common, status: "completed", result: null, reason: null, ...outcome }),
    handle: {
      done: promise,
      async kill() {
        calls.push("kill");
        resolve({ ...common, ...KILLED });
        await promise;
      },
    },
  };
}

Deno.test("followToEnd() gives the outcome of a run that nobody interrupts, and leaves its release", async () => {
  const { handle, end, calls } = startRun();
  const following = followToEnd(handle, new AbortController().signal);
  end({ status: "crashed", reason: "on purpose" });
  assert.equal((await following).reason, "on purpose");
  assert.deepEqual(calls, []);
});

Deno.test("followToEnd() kills a run when its signal is aborted, before or after, and leaves nothing of it", async () => {
  for (const before of [true, false]) {
    const { handle, calls } = startRun();
    const control = new AbortController();
    if (before) control.abort(new Error("not wanted"));
    const following = followToEnd(handle, control.signal);
    if (!before) control.abort(new Error("not wanted"));
    await assert.rejects(following, /not wanted/);
    assert.deepEqual(calls, ["kill", "release"]);
  }
});

Deno.test("followToEnd() takes a run that completed before it was killed for completed", async () => {
  const { handle, end, calls } = startRun();
  const control = new AbortController();
  const following = followToEnd(handle, control.signal);
  end({});
  control.abort(new Error("too late"));
  assert.equal((await following).status, "completed");
  assert.ok(!calls.includes("release"));
});

Deno.test("followToEnd() leaves a run that can outlive the agent when that hands over, and kills it otherwise", async () => {
  for (
    const [kind, expected] of [["handed over", ["leave"]], ["killed", ["kill", "release"]]] as const
  ) {
    const { handle, calls } = startRun();
    const control = new AbortController();
    const following = followToEnd(
      { ...handle, leave: () => void calls.push("leave") },
      control.signal,
    );
    control.abort(new Interruption(kind, "why"));
    await assert.rejects(following, Interruption);
    assert.deepEqual(calls, expected);
  }
  const { handle, calls } = startRun();
  const handedOver = AbortSignal.abort(new Interruption("handed over", "why"));
  await assert.rejects(followToEnd(handle, handedOver), Interruption);
  assert.deepEqual(calls, ["kill", "release"], "one that cannot");
});

Deno.test("endedAtOnce() is over, and can be killed nevertheless", async () => {
  const handle = endedAtOnce({ status: "start failed", reason: "no room" });
  await handle.kill();
  const { status, reason, result } = await handle.done;
  assert.deepEqual([status, reason, result], ["start failed", "no room", null]);
});
