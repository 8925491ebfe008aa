/**
 * What of the node's configuration concerns containers.
 * @module
 */
import type { ContainerLimits } from "./create_request.ts";
import type { PullOptions } from "./image.ts";
import type { CommonTargetsOptions } from "./network/common_targets.ts";

export interface ContainerOptions extends CommonTargetsOptions, PullOptions {
  /** The engine's socket; the usual ones are tried unless it is given. */
  socket: string | undefined;
  limits: ContainerLimits;
  /** The owner's own environment variables for algorithms. */
  algorithmEnv: Readonly<Record<string, string>>;
  gpu: boolean;
  /** Whether each run gets a file with its context. */
  runContext: boolean;
}
