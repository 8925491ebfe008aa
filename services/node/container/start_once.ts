/**
 * Starting a container at most once, whatever the engine answers.
 *
 * An engine can answer with an error although the program ran: Podman (seen with 4.3.1 on cgroups
 * v1) does now and then with one that ends at once. To start such a container again would execute
 * the run twice, so its state decides, not the answer.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../../shared/service/log.ts";
import { type ContainerState, stateSchema } from "./container_state.ts";
import { type Engine, EngineError } from "./engine.ts";

/** How long an engine may take to see that what it called a failure was none. */
const SETTLE_MS = 1000;

export interface StartOptions {
  engine: Engine;
  /** The container's id. */
  id: string;
  log: Logger;
}

/**
 * Starts a container that was just made; once again if the engine refuses and nothing of it has
 * run.
 */
export async function startOnce({ engine, id, log }: StartOptions): Promise<void> {
  const start = () => engine.done("POST", `/containers/${id}/start`);
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (await hasRun(engine, id)) return noteMistake(error);
    // Without an answer the engine may be at it still, and would start what has ended by then anew.
    if (error.status === undefined || error.status === 404) throw error;
    log.warn("Cannot start a container; trying once more", { reason: error.message });
  }
  try {
    await start();
  } catch (error) {
    if (!(error instanceof EngineError) || !await hasRun(engine, id)) throw error;
    noteMistake(error);
  }

  function noteMistake({ message }: EngineError): void {
    log.info("The engine says that a container did not start, but it ran", { reason: message });
  }
}

/** Whether a container runs or has run; waits for `patienceMs` before it says no. */
export async function hasRun(
  engine: Engine,
  id: string,
  patienceMs = SETTLE_MS,
): Promise<boolean> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      const { State } = await engine.json("GET", `/containers/${id}/json`, stateSchema);
      if (tellsOfARun(State)) return true;
      if (performance.now() > until) return false;
    } catch (error) {
      if (!(error instanceof EngineError) || performance.now() > until) throw error;
      if (error.status === 404) return false;
    }
    await delay(100);
  }
}

function tellsOfARun({ Status, Running, StartedAt, FinishedAt }: ContainerState): boolean {
  return Running || !["created", "initialized"].includes(Status) || isTime(StartedAt) ||
    isTime(FinishedAt);
}

/** What has not happened yet happened in the year 1. */
function isTime(text: string): boolean {
  return text !== "" && !text.startsWith("0001-");
}
