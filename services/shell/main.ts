/**
 * `deno task shell`: the operator's shell, straight on the services' databases.
 * @module
 */
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readArgs, typedPath, UsageError } from "../../shared/command_line/read_args.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { VERSION } from "../../shared/version.ts";
import { createEvaluator } from "./prompt/evaluator.ts";
import { CannotStart, ShellError } from "./errors.ts";
import { exportEntities } from "./import/export.ts";
import { importFile } from "./import/import.ts";
import { explain } from "./show/explain.ts";
import { openHistory } from "./prompt/history.ts";
import { runPrompt } from "./prompt/prompt.ts";
import { allAnswered } from "./records/query.ts";
import { render } from "./show/render.ts";
import { terminalWidth } from "../../shared/command_line/table.ts";
import { startSession } from "./session.ts";

const CHECKOUT_DATA = fileURLToPath(new URL("../../.sextant", import.meta.url));

const HELP = `deno task shell [options] [script.ts]

A prompt with all models of the hub in \`db\`, and \`sql\`, straight on the services' databases: no permission
checks and no validation. With a script, --eval, or code on the standard input it runs that instead.

  --eval CODE      runs CODE and prints its value
  --json           prints values as JSON
  --import FILE    imports organizations, users, collaborations and nodes from a YAML file
    --dry-run      only says what that would change
    --strict       refuses a file with keys that are not known
  --export         prints the same as YAML, without secrets
  --data DIR       data folder of deno task up; ${CHECKOUT_DATA} unless given
  --help           this text

The databases are those of deno task up, or those in the environment: SEXTANT_IDENTITY_DATABASE_URL,
SEXTANT_COLLABORATION_DATABASE_URL, SEXTANT_TASK_DATABASE_URL (each can be given as …_FILE), such as
postgres://role:password@host:5432/database. With SEXTANT_NATS_URL and SEXTANT_ENROLMENT (a file) too, running
services hear of a change at once; else within 3 s. SEXTANT_GATEWAY_URL is for db.doctor() alone,
SEXTANT_SHELL_HISTORY names the file that keeps what was typed (else shell_history in the data folder).

A script is a TypeScript file; db and sql are global in it. Exit code 1 when something was thrown.`;

const BANNER =
  `Sextant shell ${VERSION}. Changes made here go straight into the databases: no permission checks, \
no validation.\nThe API has both; prefer it.`;

/** Runs what `args` ask for; returns the exit code. */
export async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\nSee: deno task shell --help`);
    return 2;
  }
  const { values, positionals } = options;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const data = values.data === undefined ? CHECKOUT_DATA : typedPath(values.data);
  try {
    const given = values.import ?? values.eval ?? positionals[0];
    const atPrompt = given === undefined && !values.export && Deno.stdin.isTerminal();
    if (atPrompt) return await prompt(data);
    await runWithoutPrompt(options, data);
    return Deno.exitCode;
  } catch (error) {
    printError(error);
    return 1;
  }
}

type Options = ReturnType<typeof parseOptions>;

async function runWithoutPrompt({ values, positionals }: Options, data: string): Promise<void> {
  const session = await startSession(data, { say: (line) => console.error(line) });
  // Of what nobody awaited.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    printError(event.reason);
    Deno.exitCode = 1;
  });
  const print = (value: unknown) => printValue(value, values.json);
  try {
    if (values.import !== undefined) {
      const { dryRun, strict } = { dryRun: values["dry-run"], strict: values.strict };
      print(await importFile(session.shell, typedPath(values.import), { dryRun, strict }));
    } else if (values.export) {
      print(await exportEntities(session.shell));
    } else if (values.eval !== undefined) {
      print(await evaluate(values.eval));
    } else if (positionals[0] !== undefined) {
      await runScript(typedPath(positionals[0]));
    } else {
      print(await evaluate(await new Response(Deno.stdin.readable).text()));
    }
  } catch (error) {
    printError(error);
    Deno.exitCode = 1;
  } finally {
    await allAnswered();
    await session.close();
  }
}

function printError(error: unknown): void {
  console.error(`${error instanceof CannotStart ? "Cannot start" : "Error"}: ${explain(error)}`);
}

function parseOptions(args: string[]) {
  const options = readArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      data: { type: "string" },
      eval: { type: "string" },
      json: { type: "boolean", default: false },
      import: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      strict: { type: "boolean", default: false },
      export: { type: "boolean", default: false },
    },
  });
  if (options.positionals.length > 1) {
    throw new UsageError(`Unexpected argument '${options.positionals[1]}'`);
  }
  const { values, positionals: [script] } = options;
  const given = Object.entries({
    "--import": values.import,
    "--export": values.export || undefined,
    "--eval": values.eval,
    "a script": script,
  }).filter(([, value]) => value !== undefined).map(([name]) => name);
  if (given.length > 1) throw new UsageError(`Give one of ${given.join(" and ")}`);
  if (values.import === undefined && (values["dry-run"] || values.strict)) {
    throw new UsageError(`${values.strict ? "--strict" : "--dry-run"} needs --import FILE`);
  }
  return options;
}

/** Evaluates a whole text; returns the value of its last expression. */
async function evaluate(code: string): Promise<unknown> {
  const evaluator = await createEvaluator();
  try {
    const outcome = await evaluator.evaluate(code);
    if (outcome.kind === "value") return await outcome.value;
    if (outcome.kind === "error") throw outcome.error;
    throw outcome.unless ?? new ShellError("Syntax error: Unexpected end of input");
  } finally {
    evaluator.close();
  }
}

/** Runs a file; what it throws is told with its place there. */
async function runScript(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    throw new ShellError(`Cannot read the script: ${messageOf(error)}`);
  }
  const address = pathToFileURL(path).href;
  try {
    await import(address);
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : "";
    const [, place] = text.split(address + ":", 2);
    const at = /^\d+:\d+/.exec(place ?? "")?.[0];
    throw new ShellError(explain(error) + (at ? ` (${basename(path)}:${at})` : ""), {
      cause: error,
    });
  }
}

function printValue(value: unknown, json: boolean): void {
  if (json) {
    const text = (_key: string, one: unknown) => typeof one === "bigint" ? String(one) : one;
    console.log(JSON.stringify(value, text) ?? "null");
  } else if (value !== undefined) console.log(render(value, terminalWidth()));
}

async function prompt(data: string): Promise<number> {
  return await runPrompt({
    data,
    history: openHistory(Deno.env.get("SEXTANT_SHELL_HISTORY") ?? join(data, "shell_history")),
    greet(connections) {
      console.log(BANNER);
      for (const line of connections) console.log(`  ${line}`);
      console.log(
        "db.help() lists what there is. Tab completes, Ctrl-R searches, Ctrl-C clears the line or " +
          "stops what runs, exit leaves.",
      );
    },
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
