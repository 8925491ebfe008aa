/**
 * One run in the sandbox: from the hub's words to the runtime's, and back.
 * @module
 */
import { join } from "node:path";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { forSandbox } from "../data/databases.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { Hub } from "../hub/hub.ts";
import type { FinishedRun } from "../record/finish_report.ts";
import { attemptKey } from "../record/attempt_id.ts";
import type { Outcome, RunSpec, Runtime } from "./runtime.ts";
import { resolveAlgorithm } from "./algorithm_store.ts";
import { CannotStart } from "./cannot_start.ts";
import type { ReceiveInput } from "./input.ts";
import { createLogStream } from "./log_stream.ts";
import type { Hold } from "./slots.ts";
import { createSubtaskClient } from "../subtasks/sandbox_subtasks.ts";

/** A run whose end is known; `release` lets go of what is kept of it, once its end is on the disk. */
export type Execution = FinishedRun & Pick<Outcome, "release">;

/** Runs the algorithm, once. */
export type Execute = (hold: Hold) => Promise<Execution>;

/** V8 holds no longer text. */
const LONGEST_INPUT = 511 * 2 ** 20;

export interface Runner {
  /**
   * Gets the algorithm ready while the hub is asked. The function returned takes the input, or `null` when it must be
   * fetched, and makes the run; it rejects with {@linkcode CannotStart} when something about it is wrong.
   */
  prepare(
    dispatch: Dispatch,
    signal: AbortSignal,
    hold: Hold,
  ): (input: string | null) => Promise<Execute>;
  /** Takes up a run that outlived an earlier agent; `undefined` when there is none. */
  reattach?(dispatch: Dispatch, signal: AbortSignal): Promise<Execute | undefined>;
}

export interface CreateRunnerOptions {
  config: Pick<NodeConfig, "algorithmFolders" | "databases" | "dataFolder" | "limits">;
  runtime: Runtime;
  hub: Hub;
  payloads: Payloads;
  receiveInput: ReceiveInput;
  /** Passes on a piece of a running algorithm's log. */
  sendLog: (dispatch: Dispatch, piece: { seq: number; lines: string[] }) => void;
  log: Logger;
}

export function createRunner(
  { config, runtime, hub, payloads, receiveInput, sendLog, log }: CreateRunnerOptions,
): Runner {
  return {
    prepare(dispatch, signal) {
      const algorithm = resolveAlgorithm(dispatch.image, {
        folders: config.algorithmFolders,
        cacheDir: join(config.dataFolder, "algorithms"),
      });
      algorithm.catch(() => {}); // looked at below, if the hub agrees

      return async function make(text) {
        const input = await receiveInput(dispatch, text, signal);
        if (input.call === null && input.content.size > LONGEST_INPUT) {
          throw new CannotStart(
            `The input has ${
              Math.ceil(input.content.size / 2 ** 20)
            } MiB; the sandbox takes at most 511 MiB. ` +
              "An algorithm in a container image can take more.",
          );
        }
        if (input.call && !input.isJson) {
          throw new CannotStart(
            "The input has NaN or Infinity, which JSON does not have. The sandbox takes JSON only; " +
              "an algorithm in a container image can take them.",
          );
        }
        const chosen = chooseDatabases(dispatch, config.databases);
        const databases = await forSandbox(chosen, config.dataFolder);
        const spec = {
          name: attemptKey(dispatch),
          algorithm: await algorithm.catch((error) => {
            if (!(error instanceof SextantError)) throw error;
            log.info("The algorithm cannot be used", { image: dispatch.image, error });
            throw new CannotStart(error.message);
          }),
          input: input.call ?? input.content,
          databases,
          limits: config.limits,
        };
        return (hold) => execute(spec, dispatch, hold, signal);
      };
    },
  };

  async function execute(
    spec: Omit<RunSpec, "client" | "onLog">,
    dispatch: Dispatch,
    hold: Hold,
    signal: AbortSignal,
  ): Promise<FinishedRun> {
    const over = new AbortController();
    const lines = createLogStream({ send: (piece) => sendLog(dispatch, piece) });
    const { result_id, attempt } = dispatch;
    log.info("Running", { result_id, attempt });
    const handle = await runtime.start({
      ...spec,
      onLog: lines.push,
      client: createSubtaskClient({
        hub,
        payloads,
        dispatch,
        log,
        signal: AbortSignal.any([signal, over.signal]),
        whileWaiting: hold.without,
      }),
    });
    const kill = () => void handle.kill();
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    try {
      const outcome = await handle.done;
      // One that completed before the interruption reached it is as good as any.
      if (signal.aborted && outcome.status !== "completed") throw signal.reason;
      return outcome;
    } finally {
      signal.removeEventListener("abort", kill);
      over.abort(new Error("the run is over"));
      lines.end();
    }
  }
}

/** The databases that a dispatch asks for, in its order. */
export function chooseDatabases<Database extends { label: string }>(
  { databases: wanted }: Pick<Dispatch, "databases">,
  databases: readonly Database[],
): Database[] {
  return wanted.map(({ label }) => {
    const found = databases.find((database) => database.label === label);
    if (found) return found;
    const known = databases.map((database) => database.label).join(", ") || "none";
    throw new CannotStart(`This node has no database "${label}"; it has ${known}.`);
  });
}
