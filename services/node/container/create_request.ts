/**
 * What the engine is told to make for one run, and what the run may not have.
 * @module
 */
import type { RunLimits } from "../run/runtime.ts";
import type { EngineInfo } from "./engine.ts";
import { HOSTNAME } from "./network/routes.ts";
import type { Mount } from "./run_folder.ts";

/** What bounds every container of a node beyond {@linkcode RunLimits}. */
export interface ContainerLimits {
  /** Processes and threads at once. */
  pids: number;
  /** Processor cores; all of them unless given. */
  cpus: number | undefined;
  /** Room for the files of a run and of its job. */
  diskMiB: number;
  /** How much of what it prints is kept. */
  logMiB: number;
}

export interface ContainerSpec {
  image: string;
  env: string[];
  mounts: Mount[];
  labels: Record<string, string>;
  limits: RunLimits & ContainerLimits;
  /** From `gpuRequests`, if it gets any. */
  devices: unknown[];
}

const MIB = 2 ** 20;

/**
 * The body of the engine's create request. The image's own command, user and working folder stand.
 */
export function createRequest(
  { image, env, mounts, labels, limits, devices }: ContainerSpec,
  info: EngineInfo,
): Record<string, unknown> {
  const memory = limits.memoryMiB * MIB;
  return {
    Image: image,
    Env: env,
    Labels: labels,
    Hostname: HOSTNAME,
    HostConfig: {
      NetworkMode: "none",
      Mounts: mounts.map(({ source, target, readOnly }) => ({
        Type: "bind",
        Source: source,
        Target: target,
        ReadOnly: readOnly,
        BindOptions: { Propagation: "rprivate" },
      })),
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      IpcMode: "private",
      // Shared memory is memory: it counts as such, and a program may need more of it than the
      // usual 64 MiB.
      ShmSize: memory / 2,
      Memory: memory,
      // As much as memory alone: nothing is swapped.
      ...(info.SwapLimit ? { MemorySwap: memory } : {}),
      ...(limits.cpus === undefined
        ? {}
        : { NanoCpus: Math.round(Math.min(limits.cpus, info.NCPU) * 1e9) }),
      PidsLimit: limits.pids,
      OomScoreAdj: 1000,
      // No Ulimits: with any of them given, Podman (seen with 4.3.1) sets others beyond what a
      // machine may grant, and nothing starts.
      LogConfig: { Type: "json-file", Config: { "max-size": `${limits.logMiB + 1}m` } },
      RestartPolicy: { Name: "no" },
      ...(devices.length > 0 ? { DeviceRequests: devices } : {}),
    },
  };
}
