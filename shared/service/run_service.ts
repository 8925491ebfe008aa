/**
 * The process of a service: start, ready, and a shutdown in phases with a deadline.
 * @module
 */
import { ConfigError, readLogLevel } from "./config.ts";
import { messageOf } from "./errors.ts";
import { createLife, type ServiceLife } from "./life.ts";
import { createLogger } from "./log.ts";

const SHUTDOWN_MS = 15_000;

/**
 * Runs one service until it is told to stop (SIGTERM or SIGINT). Each phase of the shutdown is
 * logged when it fails; all of them together have fifteen seconds; a second signal ends the process
 * at once. A configuration that cannot be used ends it with exit code 2 and a message that names
 * every problem.
 */
export async function runService(
  name: string,
  start: (life: ServiceLife) => Promise<unknown>,
): Promise<never> {
  let log = createLogger(name);
  try {
    log = createLogger(name, { level: readLogLevel() ?? "info" });
  } catch (error) {
    log.error(messageOf(error));
    Deno.exit(2);
  }
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

  const life = createLife(log);
  try {
    // A service that still waits for its dependencies must be stoppable, too.
    const first = await Promise.race([start(life).then(() => "started"), stopped]);
    if (first === "started") log.info("Ready");
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
  await life.stop();
  clearTimeout(deadline);
  log.info("Stopped");
  Deno.exit(0);
}
