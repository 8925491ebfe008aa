/**
 * What the sandbox and the containers both offer the agent: a runtime, which executes algorithms
 * beside the data.
 *
 * An attempt knows nothing else of them (see `attempt.ts`); which runtime executes an algorithm is
 * decided in `runtimes.ts`.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { Exit } from "../disclosure/exit.ts";
import type { Origin } from "../encryption/sealed.ts";
import type { ContentFile } from "../payload/pieces.ts";
import type { FinishedRun } from "../record/finish_report.ts";
import type { Hold } from "./slots.ts";

export interface Runtime {
  /**
   * Gets what the algorithm is made of, where that may take long: it gives the slot back meanwhile,
   * and has it again when it resolves. Rejects with a `CannotStart` when that cannot be had.
   */
  fetch(dispatch: Dispatch, signal: AbortSignal, hold: Hold): Promise<Prepare>;
  /**
   * Takes up a run that outlived an earlier agent. `undefined` when there is none: whatever is left
   * of it has been removed then. A runtime whose runs end with the agent has no such function.
   */
  reattach?(dispatch: Dispatch, signal: AbortSignal): Promise<Execute | undefined>;
  /** What may leave of a run that is taken up. */
  exitOf?(dispatch: Dispatch): Exit;
}

/**
 * Gets the run ready while the hub is asked. Nothing is executed, and nothing has to be cleaned up,
 * before the `Execute` that comes of it is called.
 */
export type Prepare = () => Preparation;

/** A run that is being got ready. */
export interface Preparation {
  /**
   * Which code is about to run (see `code.ts`). `undefined` when it cannot be had, or when the hub
   * would have to wait for that to be known. Never rejects.
   */
  code: Promise<string | undefined>;
  /**
   * Whether that is what the name, a tag, means here and now: another site may have moved on, or
   * not yet. Then another code than the job's starts, and that is said in the log.
   */
  byTag?: boolean;
  /**
   * Takes the input as it came with the hub's answer, or `null` when it must be fetched. Rejects
   * with a `CannotStart` when something about the run is wrong.
   */
  specify(input: string | null): Promise<Prepared>;
}

export interface Prepared {
  execute: Execute;
  /** What may leave of it. */
  exit: Exit;
  /** The id that the engine has for the image, for the node's own records. */
  imageId?: string;
  /** What the input was, as far as the result must say which one it answers. */
  origin?: Origin | null;
  /** What is called, where the input was read. */
  method?: string | undefined;
}

/**
 * Runs the algorithm, once. What can be got ready is, but nothing of the algorithm runs before
 * `noted`, by which the start is on the disk. Rejects with the signal's reason when that ended the
 * run, and with that of `noted`.
 */
export type Execute = (hold: Hold, noted?: Promise<unknown>) => Promise<Execution>;

/**
 * A run whose end is known; `release` lets go of what is kept of it, once its end is on the disk.
 */
export type Execution = FinishedRun & Pick<Outcome, "release" | "said">;

/** The words with which a runtime can end a run; a part of v6's own (HTTP contract §5.3). */
export type OutcomeStatus =
  | "completed"
  | "failed"
  | "crashed"
  | "start failed"
  | "killed by user"
  | "unknown error";

/** How a run ended. */
export interface Outcome {
  /**
   * `start failed`: the algorithm or its data could not be loaded. `crashed`: the algorithm ended
   * wrongly by itself. `failed`: the node stopped it at a limit.
   */
  status: OutcomeStatus;
  /**
   * The algorithm's output until `release` is called: JSON in UTF-8 from the sandbox, any bytes
   * from a container. Null when there is none, and where the node ended the run.
   */
  result: ContentFile | null;
  /** What the algorithm printed, cut where it is too long. */
  log: string;
  /** For the researcher: why it did not complete; null when it did. */
  reason: string | null;
  /** What it said that is not in the reason, since it may not leave. */
  said?: string | undefined;
  /** Lets go of what is kept of the run; to be called once this is safe. */
  release?: (() => Promise<void>) | undefined;
}

/** What bounds one run. */
export interface RunLimits {
  /** Wall-clock time, waiting for subtasks included. */
  timeoutSeconds: number;
  /** Memory for data, at least 1024. */
  memoryMiB: number;
  /** Largest result. */
  outputMiB: number;
}

/** A run that has been started. */
export interface RunHandle {
  /** Never rejects. */
  readonly done: Promise<Outcome>;
  /**
   * Ends the run now and for certain; resolves once nothing of it runs any more. Safe to call
   * again.
   */
  kill(): Promise<void>;
  /**
   * Lets go of the run, which goes on: the next agent takes it up. It asks nobody for anything from
   * this call on; what `done` says is no end of it then. A runtime whose runs end with the agent
   * has no such function.
   */
  leave?(): void;
}
