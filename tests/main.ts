/**
 * `deno task test`: the tests beside the files, and those of the whole system from outside.
 * @module
 */
import { fileURLToPath } from "node:url";
import { readArgs } from "../shared/command_line/read_args.ts";
import { messageOf } from "../shared/service/errors.ts";
import { type Batch, planBatches, testFiles } from "./plan.ts";
import { readErrors, readSummary, type Summary, total } from "./summary.ts";
import { startSharedNats } from "./support/nats.ts";
import { startSharedPostgres } from "./support/postgres.ts";

const HELP = `deno task test [--name TEXT] [PATH-PART...]

Checks the types of the tests, then runs them: those beside the files, and those in tests/, which start whole
systems. A few files run side by side, each in a process of its own. One real PostgreSQL and one real nats-server
serve all of them, on free ports; each file gets a database and an account there. Files that kill a server start their
own.

  PATH-PART     only test files whose path contains one of these, e.g. "http_over_nats" or "services/task"
  --name TEXT   only tests whose name contains TEXT
  --help        this text

"deno test -A FILE" runs one file, too; it starts the servers that it needs.
The last line is "N passed, N failed". The exit code is 0 only when something ran and nothing failed.
SEXTANT_NATS_SERVER and SEXTANT_POSTGRES_BIN choose the servers' programs; else they are found, or fetched.`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Many tests wait for a process, or for a moment to pass. */
const SLOTS = navigator.hardwareConcurrency + 1;
const DEADLINE_MS = 60 * 60_000;
/**
 * Each slot takes free ports from a range of its own, so that files side by side never want the
 * same.
 */
const FIRST_PORT = 20_000;
const PORTS_OF_SLOT = Math.floor(10_000 / SLOTS);
const SHOWN_SLOWEST = 10;
/** Of each file that failed, again at the end: who reads only that must learn why. */
const SHOWN_ERROR_LINES = 30;

interface Run {
  batch: Batch;
  seconds: number;
  summary: Summary | undefined;
  success: boolean;
  /** What it said was wrong; empty where nothing was. */
  errors: string[];
}

/** Everything started that has not ended. */
const children = new Set<Deno.ChildProcess>();
/** Aborted when nothing more is to start. */
const stopped = new AbortController();

function startDeno(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  const colour = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { ...env, ...(colour ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  children.add(child);
  child.status.then(() => children.delete(child));
  return child;
}

/** Runs a batch; shows what it said once it is done, so that files side by side do not mix. */
async function runBatch(batch: Batch, flags: string[], env: Record<string, string>): Promise<Run> {
  const began = performance.now();
  const child = startDeno(["test", "-A", "--no-check", ...flags, ...batch.files], env);
  const { success, stdout, stderr } = await child.output();
  const output = new TextDecoder().decode(stdout);
  const seconds = (performance.now() - began) / 1000;
  await write(stderr);
  await write(stdout);
  const summary = output.split("\n").map(readSummary).findLast((one) => one !== undefined);
  const said = summary ? output : `${output}\n${new TextDecoder().decode(stderr)}`;
  const errors = success ? [] : readErrors(said, SHOWN_ERROR_LINES);
  return { batch, seconds, summary, success, errors };
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

/** Runs the batches in their order, `slots` of them at once. */
async function runBatches(
  batches: Batch[],
  flags: string[],
  env: Record<string, string>,
  slots: number,
): Promise<Run[]> {
  const waiting = [...batches];
  const runs: Run[] = [];
  async function work(_: unknown, slot: number) {
    const first = FIRST_PORT + slot * PORTS_OF_SLOT;
    const SEXTANT_PORTS = `${first}-${first + PORTS_OF_SLOT - 1}`;
    for (
      let batch = waiting.shift();
      batch && !stopped.signal.aborted;
      batch = waiting.shift()
    ) {
      runs.push(await runBatch(batch, flags, { ...env, SEXTANT_PORTS }));
    }
  }
  await Promise.all(Array.from({ length: slots }, work));
  return runs;
}

/** Runs `work` with the servers that all files share. */
async function withServers<Result>(
  work: (env: Record<string, string>) => Promise<Result>,
): Promise<Result> {
  const [postgres, nats] = await Promise.all([startSharedPostgres(), startSharedNats()]);
  try {
    return await work({ ...postgres.env, ...nats.env });
  } finally {
    await Promise.all([postgres.stop(), nats.stop()]);
  }
}

async function typesAreRight(files: string[]): Promise<boolean> {
  const { success, stdout, stderr } = await startDeno(["check", "--quiet", ...files]).output();
  await write(stdout);
  await write(stderr);
  return success;
}

/** Ends what runs when this program is told to, or when it takes too long. */
function watchOver(): { end(): void } {
  const stop = () => {
    stopped.abort();
    for (const child of children) child.kill("SIGTERM");
  };
  const timer = setTimeout(() => {
    console.error(`The tests took longer than ${DEADLINE_MS / 60_000} minutes and are ended.`);
    stop();
  }, DEADLINE_MS);
  Deno.addSignalListener("SIGTERM", stop);
  return {
    end() {
      clearTimeout(timer);
      Deno.removeSignalListener("SIGTERM", stop);
    },
  };
}

function report(runs: Run[]): void {
  const sum = total(runs);
  if (stopped.signal.aborted) console.log("\nThe run was ended before all tests had run.");
  const slowest = runs.toSorted((a, b) => b.seconds - a.seconds).slice(0, SHOWN_SLOWEST);
  console.log(`\nThe slowest:`);
  for (const { batch, seconds } of slowest) {
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${batch.name}`);
  }
  const failed = runs.filter((run) => total([run]).failed > 0);
  if (failed.length > 0) console.log("\nFailed:");
  for (const { batch, summary, errors } of failed) {
    console.log(`  ${batch.name}${summary ? "" : " (ended without a summary)"}`);
    for (const line of errors) console.log(`    ${line}`.trimEnd());
  }
  if (sum.passed + sum.failed === 0) console.error("No test was found.");
  if (sum.ignored) console.log(`\n${sum.ignored} ignored`);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
}

/** Runs what `args` choose; returns the exit code. */
export async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = readArgs({
      args,
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" }, name: { type: "string" } },
    });
  } catch (error) {
    console.error(`${messageOf(error)}\nSee: deno task test --help`);
    return 2;
  }
  const { values, positionals } = options;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const parts = positionals.map((part) => part.replace(ROOT, "").replace(/^\.\//, ""));
  const files = ["shared", "services", "tests"].flatMap((folder) => testFiles(ROOT, folder))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  const watching = watchOver();
  try {
    if (files.length > 0 && !await typesAreRight(files)) {
      console.log("0 passed, 1 failed");
      return 1;
    }
    const { beside, alone } = planBatches(files, (file) => Deno.readTextFileSync(ROOT + file));
    const flags = values.name ? [`--filter=${values.name}`] : [];
    const runs = await withServers(async (env) => [
      ...await runBatches(beside, flags, env, SLOTS),
      ...await runBatches(alone, flags, env, 1),
    ]);
    report(runs);
    const { passed, failed } = total(runs);
    return failed === 0 && passed > 0 && !stopped.signal.aborted ? 0 : 1;
  } finally {
    watching.end();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
