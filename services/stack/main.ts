/**
 * `deno task up` and `deno task demo`: a whole Sextant on this machine.
 * @module
 */
import { basename, dirname, extname, join } from "node:path";
import {
  readArgs,
  typedPath,
  UsageError,
  wholeNumber,
} from "../../shared/command_line/read_args.ts";
import { messageOf } from "../../shared/service/errors.ts";
import {
  createRenderer,
  LEVELS,
  type LogEntry,
  type LogLevel,
} from "../../shared/service/log_text.ts";
import { usualDataFolder } from "./account.ts";
import type { NewAdministrator } from "./administrator.ts";
import { type LogFile, type LogFileOptions, openLogFile } from "./log_file.ts";
import { killAll } from "./process.ts";
import { ROOT } from "./service_part.ts";
import { type Stack, type StackOptions, startStack } from "./stack.ts";
import { hubUnit } from "./unit.ts";

const GATEWAY_PORT = 7601;
const LOG_MIB = 10;
const LOG_FILES = 10;
const CHECKOUT_DATA = join(ROOT, ".sextant");
/**
 * Two signals closer together than this are one: a terminal and the task runner both pass on
 * Ctrl-C.
 */
const SAME_SIGNAL_MS = 500;

const HELP = {
  up:
    `deno task up [--cluster] [--data DIR] [--port N] [--nodes FILE...] [--log-folder DIR] [--unit]

Starts PostgreSQL, nats-server and the four services on this machine and keeps running until Ctrl-C.
Everything that must last is in the data folder; start again and it is all there.

  --cluster       three servers of the broker, a PostgreSQL primary with its standby under Patroni, two of each
                  service, and a front before two gateways; says what to install when something is missing
  --data DIR      data folder; ${CHECKOUT_DATA} unless given
  --port N        port of the gateway; else the one of last time, at first ${GATEWAY_PORT} or a free one
  --nodes FILE... also start a node for each of these configuration files
  --log-folder DIR  also writes the log there, one JSON object a line, into files that are rotated
    --log-size MIB  size of each; ${LOG_MIB} unless given
    --log-count N   how many are kept; ${LOG_FILES} unless given
  --unit          starts nothing; prints a unit for systemd that starts the same
  --help          this text

kill -USR2 $(cat DIR/lock) replaces the services one after the other by what the checkout holds then; with --cluster
each has a second one, which answers meanwhile.

In the environment: SEXTANT_LOG_LEVEL (debug, info, warn, error), SEXTANT_POSTGRES_BIN (folder with postgres
and initdb), SEXTANT_NATS_SERVER (the program), SEXTANT_ADMIN_USERNAME and SEXTANT_ADMIN_PASSWORD (of the
administrator who is made when there is none; else generated and shown once), OTEL_EXPORTER_OTLP_ENDPOINT (a
collector that gets traces), NO_COLOR. As root PostgreSQL runs as another account, which must be able to reach the
data folder; when it cannot reach the usual one, all is in a folder below /var/lib/sextant, linked from there.`,
  demo: `deno task demo [--exit] [--data DIR]

Starts the stack with three nodes on real data, runs federated analyses through the API, and compares them with the
same numbers on the pooled data; then all of it can be tried, in a browser too. Exit code 1 when they differ.

  --exit          stop everything at the end; without it everything stays up to be tried until Ctrl-C
  --data DIR      data folder to keep; a temporary one, removed at the end, unless given
  --help          this text`,
};

interface Launch {
  options: StackOptions;
  leastLevel: LogLevel;
  /** Where the log is written besides. */
  logFile?: Omit<LogFileOptions, "say"> | undefined;
  /** What to do once the stack is up; returns whether to stop then. */
  whenReady(stack: Stack): Promise<boolean>;
}

/**
 * Runs a stack until it is told to stop, something dies, or its work is done; returns the exit
 * code.
 */
async function launch(
  { options, leastLevel, logFile, whenReady }: Launch,
): Promise<number> {
  const render = createRenderer({ colour: !Deno.noColor && Deno.stderr.isTerminal() });
  const print = (line: string) => void Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
  const interrupt = listenForStop(print);
  const interrupted = new Promise<void>((resolve) =>
    interrupt.addEventListener("abort", () => resolve(), { once: true })
  );
  let stack: Stack | undefined;
  let log: LogFile | undefined;
  try {
    log = logFile && openLogFile({ ...logFile, say: print });
    stack = await startStack({
      ...options,
      signal: interrupt,
      say: print,
      onEntry(part: string, entry: LogEntry) {
        if (LEVELS.indexOf(entry.level) < LEVELS.indexOf(leastLevel)) return;
        print(render(part, entry));
        log?.write(part, entry);
      },
    });
    const work = whenReady(stack).then((done) => done ? undefined : new Promise<void>(() => {}));
    await Promise.race([work, interrupted, stack.failed]);
    return 0;
  } catch (error) {
    if (interrupt.aborted) return 130;
    print(messageOf(error));
    return 1;
  } finally {
    await stack?.stop();
    log?.close();
    if (stack || interrupt.aborted) print("Everything has stopped");
  }
}

/** A signal that fires when this process should stop. A second request ends it at once. */
function listenForStop(print: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  function onSignal() {
    if (firstAt === undefined) {
      firstAt = Date.now();
      print("Stopping everything; once more to force it");
      controller.abort(new Error("interrupted"));
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
      killAll();
      Deno.exit(130);
    }
  }
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(name, onSignal);
  }
  watchTaskRunner(onSignal);
  return controller.signal;
}

/** Replaces the services one after the other whenever this process is told to (SIGUSR2). */
function rollAtSignal(stack: Stack): void {
  let rolling: Promise<void> | undefined;
  Deno.addSignalListener("SIGUSR2", () => {
    rolling ??= stack.roll().then(
      () => console.error("Every service has been replaced"),
      (error) => console.error(`Cannot replace every service: ${messageOf(error)}`),
    ).finally(() => rolling = undefined);
  });
}

/** When the task runner in front of this process is killed, nobody else would tell this process. */
function watchTaskRunner(onGone: () => void) {
  const runner = Deno.ppid;
  let command = "";
  try {
    command = Deno.readTextFileSync(`/proc/${runner}/cmdline`);
  } catch {
    return;
  }
  if (!/deno[^\0]*\0(.*\0)?task\0/.test(command)) return;
  const timer = setInterval(() => {
    if (Deno.ppid === runner) return;
    clearInterval(timer);
    onGone();
  }, 500);
  Deno.unrefTimer(timer);
}

async function up(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      cluster: { type: "boolean", default: false },
      data: { type: "string" },
      port: { type: "string" },
      nodes: { type: "string", multiple: true, default: [] },
      "log-folder": { type: "string" },
      "log-size": { type: "string" },
      "log-count": { type: "string" },
      unit: { type: "boolean", default: false },
    },
  });
  if (positionals.length && !values.nodes.length) {
    throw new UsageError(`Unexpected argument '${positionals[0]}'`);
  }
  const nodes = [...values.nodes, ...positionals].map(typedPath);
  for (const path of nodes) await checkReadable(path);
  const port = values.port === undefined ? undefined : wholeNumber("port", values.port, 1, 65535);
  const logFile = logFileOf(values);
  if (values.unit) {
    console.log(unitOf({ ...values, nodes, port, logFile }));
    return 0;
  }
  return await launch({
    leastLevel: await logLevel("info"),
    logFile,
    options: {
      cluster: values.cluster,
      folder: values.data === undefined ? usualDataFolder(CHECKOUT_DATA) : typedPath(values.data),
      gatewayPort: port,
      preferredGatewayPort: GATEWAY_PORT,
    },
    async whenReady(stack) {
      const names = uniqueNames(nodes);
      await Promise.all(nodes.map((path, index) => stack.addNode(names[index]!, path)));
      console.log(describe(stack));
      await stack.newAdministrator?.shown();
      rollAtSignal(stack);
      return false;
    },
  });
}

type LogFileArgs = Omit<LogFileOptions, "say"> | undefined;

function logFileOf(
  values: Partial<Record<"log-folder" | "log-size" | "log-count", string>>,
): LogFileArgs {
  const { "log-folder": folder, "log-size": size, "log-count": count } = values;
  if (folder === undefined) {
    if (size === undefined && count === undefined) return undefined;
    throw new UsageError("--log-size and --log-count need --log-folder DIR");
  }
  return {
    folder: typedPath(folder),
    size: 2 ** 20 * (size === undefined ? LOG_MIB : wholeNumber("log-size", size, 1, 100_000)),
    count: count === undefined ? LOG_FILES : wholeNumber("log-count", count, 1, 10_000),
  };
}

/** The unit that starts what the command line asks for. */
function unitOf(
  { cluster, data, port, nodes, logFile }: {
    cluster: boolean;
    data?: string | undefined;
    port: number | undefined;
    nodes: string[];
    logFile: LogFileArgs;
  },
): string {
  return hubUnit({
    data: data === undefined ? undefined : typedPath(data),
    args: [
      ...cluster ? ["--cluster"] : [],
      ...port === undefined ? [] : ["--port", String(port)],
      ...nodes.flatMap((path) => ["--nodes", path]),
      ...logFile ? ["--log-folder", logFile.folder] : [],
      ...logFile ? ["--log-size", String(logFile.size / 2 ** 20)] : [],
      ...logFile ? ["--log-count", String(logFile.count)] : [],
    ],
    withNodes: nodes.length > 0,
    writes: [...logFile ? [logFile.folder] : [], ...nodes.map((path) => dirname(path))],
  });
}

async function demo(args: string[]): Promise<number> {
  const { values } = readArgs({
    args,
    options: { exit: { type: "boolean", default: false }, data: { type: "string" } },
  });
  const folder = values.data === undefined
    ? await Deno.makeTempDir({ prefix: "sextant-demo-" })
    : typedPath(values.data);
  try {
    let agreed = false;
    const code = await launch({
      leastLevel: await logLevel("warn"),
      options: {
        folder,
        cacheFolder: join(usualDataFolder(CHECKOUT_DATA), "cache"),
        preferredGatewayPort: GATEWAY_PORT,
      },
      async whenReady(stack) {
        // Only here: the client and the data are some 10 MiB that a hub need not hold.
        const { runDemo } = await import("./demo.ts");
        const { agrees, users, taskId } = await runDemo(stack, (line) => console.log(line));
        agreed = agrees;
        if (values.exit || !agreed) return true;
        console.log(describe(stack));
        for (const { username, password, role } of users) {
          console.log(`  ${role.padEnd(11)} user "${username}", password "${password}"`);
        }
        console.log(`\nA task to look at: ${stack.gatewayUrl}/#/tasks/${taskId}`);
        return false;
      },
    });
    return code === 0 && !agreed ? 1 : code;
  } finally {
    if (!values.data) await Deno.remove(folder, { recursive: true });
  }
}

/** Throws when a node's configuration cannot be read: better now than once the hub is up. */
async function checkReadable(path: string): Promise<void> {
  try {
    await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`--nodes: ${path} cannot be read: ${messageOf(error)}`);
  }
}

/** What to show of the services' log. */
async function logLevel(usual: LogLevel): Promise<LogLevel> {
  if (!Deno.env.has("SEXTANT_LOG_LEVEL") && !Deno.env.has("SEXTANT_LOG_LEVEL_FILE")) return usual;
  const { readLogLevel } = await import("../../shared/service/config.ts");
  try {
    return readLogLevel() ?? usual;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** A name for each configuration file: the file's own, with a number where two are the same. */
export function uniqueNames(paths: string[]): string[] {
  const seen = new Map<string, number>();
  return paths.map((path) => {
    const name = basename(path, extname(path));
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

function logIn({ username, password }: NewAdministrator): string {
  return password === undefined
    ? `user "${username}", with the password in SEXTANT_ADMIN_PASSWORD`
    : `user "${username}", password "${password}" (shown once and kept nowhere; change it)`;
}

function describe(stack: Stack): string {
  const { gatewayUrl, natsUrl, folder, newAdministrator } = stack;
  return [
    "",
    "Sextant is ready.",
    `  Page    ${gatewayUrl}/`,
    `  API     ${gatewayUrl}/api`,
    `  Broker  ${natsUrl}`,
    ...newAdministrator ? [`  Log in  ${logIn(newAdministrator)}`] : [],
    `  Data    ${folder}`,
    "  Stop    Ctrl-C",
    "",
  ].join("\n");
}

async function main([command, ...args]: string[]): Promise<number> {
  if (command !== "up" && command !== "demo") {
    console.log(`${HELP.up}\n\n${HELP.demo}`);
    return command === "--help" ? 0 : 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP[command]);
    return 0;
  }
  try {
    return await (command === "up" ? up(args) : demo(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nSee: deno task ${command} --help`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
