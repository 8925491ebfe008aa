import { z } from "zod";
import { proportionalMiB, treeOf } from "../support/memory.ts";
import { withSandbox } from "../support/sandboxed.ts";
import { bareRun } from "./first_line.ts";
import type { BenchContext } from "./context.ts";
import { percentile, report } from "./measure.ts";

const TIMES = 20;
const AT_ONCE = 20;
/** Podman on old kernels fails now and then to start a program that ends at once. */
const SCRIPT = "sleep 0.2";

/**
 * What a node's runtimes add to what they are made of: the sandbox to a bare `deno run`, a
 * container to the bare engine; one after another and many at once. And the memory of an agent that
 * waits, beside that of an empty program.
 */
export async function benchRuntimes({ stack, site }: BenchContext): Promise<void> {
  await benchSandbox();
  await benchContainers();
  const { pid } = stack.part(`node ${site.members[0]!.node}`);
  const agent = residentMiB(pid);
  const empty = await emptyProgram();
  const all = treeOf(pid);
  report("an agent that waits", {
    "MiB": agent,
    "empty deno program MiB": empty,
    "ratio": agent / empty,
    "processes, with runners that wait": all.length,
    "all of them MiB (PSS)": all.reduce((sum, one) => sum + proportionalMiB(one), 0),
  });
}

async function benchSandbox(): Promise<void> {
  await withSandbox(async ({ run }) => {
    const now = "export function main() { return Date.now(); }";
    const real: number[] = [];
    const raw: number[] = [];
    for (let round = 0; round < TIMES + 2; round++) {
      const began = Date.now();
      const { value, reason } = await run(now);
      if (reason !== null) throw new Error(reason);
      const floor = await bareRun(); // meanwhile the next runner is started, as on an idle node
      if (round < 2) continue; // the first ones compile and warm up
      real.push(Number(value) - began);
      raw.push(floor);
    }
    tell("sandbox, to the first line", real, raw, "bare deno run p50 ms");
    await tellTogether(
      "sandboxes",
      () => run(now).then(({ reason }) => reason),
      bareRun,
      "as many bare deno runs ms",
    );
  });
}

async function benchContainers(): Promise<void> {
  // Only now, because it looks for an engine and says so when there is none.
  const { missing, SHELL_IMAGE, startTestEngine } = await import("../support/container_engine.ts");
  if (missing) return console.log(`containers: skipped, ${missing}`);
  const { withContainers } = await import("../support/contained.ts");
  const testEngine = await startTestEngine();
  const { engine } = testEngine;

  /** Create, start, wait, remove, and nothing else. */
  async function bareContainer(): Promise<void> {
    const { Id } = await engine.json("POST", "/containers/create", z.object({ Id: z.string() }), {
      body: {
        Image: SHELL_IMAGE,
        Cmd: ["/bin/sh", "-c", SCRIPT],
        HostConfig: { NetworkMode: "none" },
      },
    });
    await engine.done("POST", `/containers/${Id}/start`);
    await engine.done("POST", `/containers/${Id}/wait`);
    await engine.done("DELETE", `/containers/${Id}?force=true`);
  }

  await withContainers(testEngine, async ({ run }) => {
    const contained = async () => (await run(`${SCRIPT}; echo 1 > output`)).reason;
    const real: number[] = [];
    const raw: number[] = [];
    for (let round = 0; round < TIMES + 1; round++) {
      const began = performance.now();
      const reason = await contained();
      if (reason !== null) throw new Error(reason);
      const between = performance.now();
      await bareContainer();
      if (round < 1) continue;
      real.push(between - began);
      raw.push(performance.now() - between);
    }
    tell("container, to its removal", real, raw, "bare engine p50 ms");
    await tellTogether("containers", contained, bareContainer, "as many by the bare engine ms");
  });
  await testEngine.stop();
}

function tell(what: string, real: number[], raw: number[], floor: string): void {
  report(what, {
    "p50 ms": percentile(real, 0.5),
    "p99 ms": percentile(real, 0.99),
    [floor]: percentile(raw, 0.5),
    "ratio": percentile(real, 0.5) / percentile(raw, 0.5),
  });
}

/** `run` resolves to why it failed, or `null`. */
async function tellTogether(
  what: string,
  run: () => Promise<string | null>,
  bare: () => Promise<unknown>,
  floor: string,
): Promise<void> {
  const rawBegan = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, bare));
  const raw = performance.now() - rawBegan;
  const began = performance.now();
  const reasons = await Promise.all(Array.from({ length: AT_ONCE }, run));
  const real = performance.now() - began;
  const failed = reasons.filter((reason) => reason !== null);
  report(`${AT_ONCE} ${what} at once`, {
    "all done ms": real,
    [floor]: raw,
    "ratio": real / raw,
    "failed": failed.length,
  });
  if (failed.length > 0) console.log(`  ${failed[0]}`);
}

/** Memory of a Deno program that does nothing but wait. */
async function emptyProgram(): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "console.log('ready'); await Deno.stdin.read(new Uint8Array(1));"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read();
  const memory = residentMiB(child.pid);
  await output.cancel();
  await child.stdin.close();
  await child.status;
  return memory;
}

function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}
