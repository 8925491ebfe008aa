/**
 * How a task is followed at a terminal: a line for each change, until it is over or Ctrl-C.
 * @module
 */
import type { Client } from "../client.ts";
import type { Change } from "../tasks/follow.ts";
import { Stopped } from "./exit_codes.ts";
import { printJson, say, timeOf } from "./print.ts";

/** Aborted by Ctrl-C, or when the terminal goes. */
export function untilStopped(): { signal: AbortSignal; [Symbol.dispose](): void } {
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Stopped("Stopped."));
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
  for (const one of signals) Deno.addSignalListener(one, stop);
  return {
    signal: stopping.signal,
    [Symbol.dispose]() {
      for (const one of signals) Deno.removeSignalListener(one, stop);
    },
  };
}

export interface FollowingOptions {
  taskId: number;
  nameOf: (organizationId: number) => string;
  signal: AbortSignal;
  /** What is told as JSON goes to standard output, a line for each change. */
  json?: boolean;
}

/** Resolves with the task's last status. Rejects with {@linkcode Stopped} on Ctrl-C. */
export async function followAtTerminal(
  client: Client,
  { taskId, nameOf, signal, json = false }: FollowingOptions,
): Promise<string> {
  function onChange(change: Change) {
    if (change.is !== "progress") return;
    const { organizationId, isSubtask, attempt, runId, taskId: of, heldSince } = change.progress;
    if (json) return printJson(change.progress, 0);
    const status = heldSince === null
      ? change.progress.status
      : `waiting for a person there to release its result, since ${timeOf(heldSince)}`;
    const part = isSubtask ? ` (subtask ${of})` : "";
    const again = attempt > 1 ? `, attempt ${attempt}` : "";
    say(`  ${nameOf(organizationId)}${part}: ${status}${again}  [run ${runId}]`);
  }
  try {
    return await client.follow(taskId, { signal, onChange });
  } catch (error) {
    if (signal.aborted) throw new Stopped(comeBack(taskId));
    throw error;
  }
}

export function comeBack(taskId: number): string {
  return `Task ${taskId} goes on at the hub. To come back: deno task client watch ${taskId}; its ` +
    `result: deno task client result ${taskId}; to end it: deno task client kill ${taskId}`;
}
