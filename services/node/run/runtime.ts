/**
 * What every way of executing an algorithm beside the data offers the agent.
 * @module
 */

import type { ContentFile } from "../payload/pieces.ts";

/** The words with which a runtime can end a run; a part of the field's own (HTTP contract §5.3). */
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
   * `start failed`: the algorithm or its data could not be loaded. `crashed`: the algorithm ended wrongly by itself.
   * `failed`: the node stopped it at a limit.
   */
  status: OutcomeStatus;
  /**
   * The algorithm's output until `release` is called: JSON in UTF-8 from the sandbox, any bytes from a container. Null
   * when there is none, and where the node ended the run.
   */
  result: ContentFile | null;
  /** What the algorithm printed, cut where it is too long. */
  log: string;
  /** For the researcher: why it did not complete; null when it did. */
  reason: string | null;
  /** Lets go of what is kept of the run; to be called once this is safe. */
  release?: (() => Promise<void>) | undefined;
}

/** What bounds one run. */
export interface RunLimits {
  /** Wall-clock time, waiting for subtasks included. */
  timeoutSeconds: number;
  /** Memory for data, at least 1024. */
  memoryMiB: number;
  /** Largest result as JSON text. */
  outputMiB: number;
}

/** A file of the data station that a run may read, by the name the algorithm knows it by. */
export interface RunDatabase {
  label: string;
  type: "csv";
  /** Absolute path of a regular file. */
  path: string;
}

/** What an algorithm may ask of the hub while it runs. A rejection becomes an exception in the algorithm. */
export interface SubtaskClient {
  /** The organizations that take part in the task's collaboration or study. */
  organizations(): Promise<{ id: number; name: string }[]>;
  /** Makes a subtask with the same algorithm and databases; `input` is {method, args?, kwargs?}. */
  createTask(
    task: { organizations: number[]; input: unknown; name?: string; description?: string },
  ): Promise<{ id: number }>;
  /** Waits until a subtask has finished; rejects when a part of it failed. */
  results(
    taskId: number,
  ): Promise<{ organization_id?: number; status?: string; result: unknown }[]>;
}

/** One run to execute. */
export interface RunSpec {
  /** Letters, digits and `-`, unique among the runs under way. */
  name: string;
  /** The algorithm's file and what people call it. */
  algorithm: { name: string; path: string };
  /** What it is called with, or the file that says so, for a call that is too large to be held by the agent. */
  input: { method: string; args: unknown[]; kwargs: Record<string, unknown> } | ContentFile;
  databases: RunDatabase[];
  limits: RunLimits;
  /** Called with whole lines as they are printed, until the log is full. */
  onLog: (lines: string[]) => void;
  client: SubtaskClient;
}

export interface RunHandle {
  /** Never rejects. */
  readonly done: Promise<Outcome>;
  /** Ends the run now and for certain; resolves once nothing of it runs any more. Safe to call again. */
  kill(): Promise<void>;
}

export interface Runtime {
  readonly name: string;
  /** Starts a run. What is wrong with the run itself is its outcome, not a rejection. */
  start(run: RunSpec): Promise<RunHandle>;
}
