/**
 * `deno task test`: the tests beside the files, then the whole system from outside.
 * @module
 */
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readArgs } from "../shared/command_line/read_args.ts";
import { messageOf } from "../shared/service/errors.ts";
import { readSummary, type Summary, total } from "./summary.ts";

const HELP = `deno task test [--name TEXT] [PATH-PART...]

Runs the tests beside the files (two files at a time), then those in tests/, which start whole systems, one
file after the other. Real PostgreSQL and nats-server; each test file starts its own, on free ports, and stops them.

  PATH-PART     only test files whose path contains one of these, e.g. "http_over_nats" or "services/task"
  --name TEXT   only tests whose name contains TEXT
  --help        this text

The last line is "N passed, N failed". The exit code is 0 only when something ran and nothing failed.
SEXTANT_NATS_SERVER and SEXTANT_POSTGRES_BIN choose the servers' programs; else they are found, or fetched.`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const JOBS = 2;
const DEADLINE_MS = 30 * 60_000;

/** Paths of all test files below a folder of the checkout, sorted. */
function testFiles(folder: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, name);
    if (isDirectory && name !== "node_modules") found.push(...testFiles(path));
    else if (name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

interface Run {
  summary: Summary | undefined;
  success: boolean;
}

async function runTests(files: string[], flags: string[]): Promise<Run> {
  if (files.length === 0) return { summary: undefined, success: true };
  const colour = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...flags, ...files],
    cwd: ROOT,
    env: { DENO_JOBS: String(JOBS), ...(colour ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
    stdout: "piped",
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  const timer = setTimeout(() => {
    console.error(`The tests took longer than ${DEADLINE_MS / 60_000} minutes and are ended.`);
    stop();
  }, DEADLINE_MS);
  Deno.addSignalListener("SIGTERM", stop);
  try {
    const summary = await showAndRead(child.stdout);
    return { summary, success: (await child.status).success };
  } finally {
    clearTimeout(timer);
    Deno.removeSignalListener("SIGTERM", stop);
  }
}

/** Passes the output on as it comes and returns the summary in it. */
async function showAndRead(output: ReadableStream<Uint8Array>): Promise<Summary | undefined> {
  const decoder = new TextDecoder();
  let summary: Summary | undefined;
  let rest = "";
  for await (const chunk of output) {
    for (let shown = 0; shown < chunk.length;) {
      shown += await Deno.stdout.write(chunk.subarray(shown));
    }
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) summary = readSummary(line) ?? summary;
  }
  return summary;
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
  const chosen = (files: string[]) =>
    files.filter((file) =>
      positionals.length === 0 ||
      positionals.some((part) => file.includes(part.replace(`${ROOT}/`, "").replace(/^\.\//, "")))
    ).map((file) => relative(ROOT, join(ROOT, file)));
  const flags = values.name ? [`--filter=${values.name}`] : [];
  const beside = chosen([...testFiles("shared"), ...testFiles("services")]);
  const whole = chosen(testFiles("tests"));
  const sum = total([
    await runTests(beside, ["--parallel", ...flags]),
    await runTests(whole, flags),
  ]);
  if (sum.passed + sum.failed === 0) console.error("No test was found.");
  if (sum.ignored) console.log(`${sum.ignored} ignored`);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
