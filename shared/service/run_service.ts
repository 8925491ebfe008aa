/**
 * The life of a service's process: start, ready, and a shutdown in phases with a deadline.
 * @module
 */
import { ConfigError, readLogLevel } from "./config.ts";
import { messageOf } from "./errors.ts";
import { createLogger, type Logger } from "./log.ts";

/** One thing to end; phases run in the reverse order of their registration. */
export type Phase = () => void | Promise<void>;

export interface ServiceLife {
  log: Logger;
  /** Registers what must be ended at shutdown. */
  onStop(name: string, phase: Phase): void;
}

const SHUTDOWN_MS = 15_000;

/**
 * Runs one service until it is told to stop (SIGTERM or SIGINT). Each phase of the shutdown is logged when it
 * fails; all of them together have fifteen seconds; a second signal ends the process at once.
 * A configuration that cannot be used ends it with exit code 2 and a message that names every problem.
 */
export async function runService(
  name: string,
  start: (life: ServiceLife) => Promise<void>,
): Promise<never> {
  let log = createLogger(name);
  try {
    log = createLogger(name, { level: readLogLevel() ?? "info" });
  } catch (error) {
    log.error(messageOf(error));
    Deno.exit(2);
  }
  const phases: { name: string; phase: Phase }[] = [];
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (++signals > 1) Deno.exit(130);
      stop(signal);
    });
  }
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("A promise was rejected and nobody looked", { error: event.reason });
  });

  const starting = start({ log, onStop: (name, phase) => void phases.push({ name, phase }) });
  try {
    // A service that still waits for its dependencies must be stoppable, too.
    const signal = await Promise.race([starting, stopped]);
    if (signal === undefined) log.info("Ready");
  } catch (error) {
    if (error instanceof ConfigError) log.error(error.message);
    else log.error("Cannot start", { error });
    Deno.exit(error instanceof ConfigError ? 2 : 1);
  }

  log.info("Stopping", { signal: await stopped });
  const deadline = setTimeout(() => {
    log.error("Stopping took too long; leaving anyway");
    Deno.exit(1);
  }, SHUTDOWN_MS);
  for (const { name, phase } of phases.reverse()) {
    try {
      await phase();
    } catch (error) {
      log.warn("A part did not stop cleanly", { part: name, error });
    }
  }
  clearTimeout(deadline);
  log.info("Stopped");
  Deno.exit(0);
}
