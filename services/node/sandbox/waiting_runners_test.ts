import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import { withSandbox } from "../../../tests/support/sandboxed.ts";
import { howManyWait } from "./waiting_runners.ts";

const LIMITS = { timeoutSeconds: 30, memoryMiB: 2048, outputMiB: 1 };
/** What an algorithm would leave for the next one, were the runner to serve it too. */
const MARKS = `
  export function main() {
    const before = [globalThis.mark ?? null, Object.prototype.mark ?? null];
    globalThis.mark = "left";
    Object.prototype.mark = "left";
    return { before, pid: Deno.pid };
  }`;

Deno.test("howManyWait() has a runner for each run that can begin at once, as far as memory allows", () => {
  assert.equal(howManyWait({ maxRuns: 2, freeMiB: 16_000 }), 2);
  assert.equal(howManyWait({ maxRuns: 64, freeMiB: 64_000 }), 4, "150 MiB in all");
  assert.equal(howManyWait({ maxRuns: 4, freeMiB: 600 }), 2);
  assert.equal(howManyWait({ maxRuns: 4, freeMiB: 0 }), 1);
});

/** The processes of runners that this one has started. */
async function runnersOfThis(): Promise<number[]> {
  const found: number[] = [];
  for (const { name } of await Array.fromAsync(Deno.readDir("/proc"))) {
    if (!/^\d+$/.test(name)) continue;
    const status = await Deno.readTextFile(`/proc/${name}/status`).catch(() => "");
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    if (parent === Deno.pid && line.includes("sandbox/runner.js")) found.push(Number(name));
  }
  return found.sort();
}

Deno.test("a sandbox has runners waiting, each of which serves one run and no second one", async () => {
  await withSandbox(async ({ run }) => {
    const options = { limits: LIMITS };
    const first = await waitFor(async () => {
      const found = await runnersOfThis();
      return found.length === 3 ? found : undefined;
    }, { what: "three runners" });
    const served: { before: unknown[]; pid: number }[] = [];
    for (let round = 0; round < 4; round++) {
      const outcomes = await Promise.all([1, 2, 3].map(() => run(MARKS, options)));
      for (const { value, reason } of outcomes) {
        assert.equal(reason, null);
        served.push(value as never);
      }
    }
    for (const { before } of served) assert.deepEqual(before, [null, null]);
    assert.equal(new Set(served.map(({ pid }) => pid)).size, 12);
    const now = await waitFor(async () => {
      const found = await runnersOfThis();
      return found.length === 3 ? found : undefined;
    }, { what: "three other runners" });
    assert.ok(now.every((pid) => !first.includes(pid)), "all of them are new");
  }, { limits: LIMITS, maxRuns: 3 });
  assert.deepEqual(await runnersOfThis(), []);
});

Deno.test("a waiting runner that has died, or is for other limits, is passed over", async () => {
  await withSandbox(async ({ run }) => {
    const two = () =>
      waitFor(async () => {
        const found = await runnersOfThis();
        return found.length === 2 ? found : undefined;
      }, { what: "two runners" });
    const [victim] = await two();
    Deno.kill(victim!, "SIGKILL");
    await waitFor(async () => !(await runnersOfThis()).includes(victim!), { what: "its end" });
    assert.equal((await run(MARKS, { limits: LIMITS })).reason, null);
    await two();
    const { reason } = await run(MARKS, { limits: { ...LIMITS, memoryMiB: 1500 } });
    assert.equal(reason, null);
    await two();
  }, { limits: LIMITS, maxRuns: 2 });
});
