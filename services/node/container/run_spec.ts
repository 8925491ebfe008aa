/**
 * One run, as it is to be executed in a container.
 * @module
 */
import type { ContentFile } from "../payload/pieces.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { Serve } from "./network/container_network.ts";
import type { Target } from "./network/routes.ts";
import type { RunContext } from "./run_context.ts";
import type { DatabaseSource } from "./run_folder.ts";

export interface RunSpec {
  /** Letters, digits and `-`, unique among the runs of this agent. */
  name: string;
  resultId: number;
  /** Shared by a task and all its descendants. */
  jobId: number;
  /** From `Images.get()`. */
  imageId: string;
  /** The input's very bytes, or the file that they lie in, which is taken. */
  input: Uint8Array | ContentFile;
  /** For the file with its context; `null` when the call is too large for that. */
  context: RunContext | null;
  databases: DatabaseSource[];
  /** Labels of all databases of the node. */
  labels: string[];
  /** What it may connect to outside, beside what every run may. */
  targets: readonly Target[];
  limits: RunLimits;
  onLog: (lines: string[]) => void;
  /** The run's secret, which its proxy asks for. */
  token: string;
  /** Answers what it asks of its proxy. */
  serve: Serve;
}

/** A run that an earlier agent started: what this agent adds to what lies in its folder. */
export interface TakenUpRun
  extends Pick<RunSpec, "name" | "jobId" | "targets" | "limits" | "onLog"> {
  /** Makes what answers the run, which has this secret. */
  serve: (token: string) => Serve;
}
