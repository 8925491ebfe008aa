/**
 * The process of a service: start, ready, and a shutdown in phases with a deadline.
 * @module
 */
import { ConfigError, readLogLevel } from "./config.ts";
import { messageOf } from "./errors.ts";
import { createLife, type ServiceLife } from "./life.ts";
import { createLogger, type Logger, type LogLevel } from "./log.ts";

/** The life of a service that is a process of its own. */
export interface ServiceProcess extends ServiceLife {
  /** Aborted as soon as the process is told to stop, also while it starts. */
  signal: AbortSignal;
  /** Ends the process, in order, because it cannot go on. */
  fail(error: unknown): void;
}

export interface RunServiceOptions {
  /** What is logged at least, unless SEXTANT_LOG_LEVEL says it. */
  level?: LogLevel | undefined;
  /** How long all phases of the shutdown may take together. */
  deadlineMs?: number;
  /** Logs why the process cannot start, or not go on. */
  sayFailure?: (log: Logger, error: unknown, what: string) => void;
}

/**
 * Runs one service until it is told to stop (SIGTERM or SIGINT), and ends the process: with exit
 * code 0, or 1 when it failed or its phases took longer than `deadlineMs`. A second signal ends it
 * at once. A configuration that cannot be used ends it with exit code 2 and a message that names
 * every problem.
 */
export async function runService(
  name: string,
  start: (life: ServiceProcess) => Promise<unknown>,
  { level = "info", deadlineMs = 15_000, sayFailure = sayWhole }: RunServiceOptions = {},
): Promise<never> {
  let log = createLogger(name);
  try {
    log = createLogger(name, { level: readLogLevel() ?? level });
  } catch (error) {
    log.error(messageOf(error));
    Deno.exit(2);
  }
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const stopping = new AbortController();
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (++signals > 1) Deno.exit(130);
      log.info("Stopping", { signal });
      stopping.abort(new Error(`stopped by ${signal}`));
      end(0);
    });
  }
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("A promise was rejected and nobody looked", { error: event.reason });
  });

  function fail(error: unknown, what = "Cannot go on"): void {
    if (stopping.signal.aborted) return;
    sayFailure(log, error, what);
    stopping.abort(error);
    end(error instanceof ConfigError ? 2 : 1);
  }
  const life = createLife(log);
  const process = { ...life, signal: stopping.signal, fail: (error: unknown) => fail(error) };
  start(process).then(() => {
    if (!stopping.signal.aborted) log.info("Ready");
  }, (error) => fail(error, "Cannot start"));

  // Not only once it has started: a service that still waits for its dependencies must be
  // stoppable, too.
  const code = await ended;
  const deadline = setTimeout(() => {
    log.error("Stopping took too long; leaving anyway");
    Deno.exit(code || 1);
  }, deadlineMs);
  await life.stop();
  clearTimeout(deadline);
  log.info("Stopped");
  Deno.exit(code);
}

function sayWhole(log: Logger, error: unknown, what: string): void {
  if (error instanceof ConfigError) log.error(error.message);
  else log.error(what, { error });
}
