/**
 * What a container is made from: the owner's options, and the run.
 * @module
 */
import type { ContentFile } from "../payload/pieces.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { ContainerLimits } from "./container_spec.ts";
import type { RegistryLogin } from "./image.ts";
import type { Serve } from "./network/ways_out.ts";
import type { DatabaseSource } from "./run_folder.ts";
import type { Target } from "./network/addresses.ts";
import type { ContextOfRun } from "./run_context.ts";
import type { SurroundingsOptions } from "./surroundings.ts";

/** What of the node's configuration concerns containers. */
export interface ContainerOptions extends SurroundingsOptions {
  /** The engine's socket; the usual places are tried unless it is given. */
  socket: string | undefined;
  limits: ContainerLimits;
  logins: readonly RegistryLogin[];
  requirePull: boolean;
  pullTimeoutSeconds: number;
  algorithmEnv: Readonly<Record<string, string>>;
  gpu: boolean;
  /** Whether each run gets a file with its context. */
  runContext: boolean;
}

/** One run to execute. */
export interface ContainerRun {
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
  context: ContextOfRun | null;
  databases: DatabaseSource[];
  /** Labels of all databases of the node. */
  labels: string[];
  /** What it may connect to outside. */
  reach: readonly Target[];
  limits: RunLimits;
  onLog: (lines: string[]) => void;
  token: string;
  serve: Serve;
}
