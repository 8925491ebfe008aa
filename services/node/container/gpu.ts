/**
 * How an engine is asked for all GPUs of its machine.
 * @module
 */

/**
 * Podman before this version takes a request for devices, says nothing, and starts the container
 * without (https://github.com/podman-container-tools/podman/issues/22645).
 */
const PODMAN_HEARS_FROM = [5, 4] as const;

/**
 * The engine would run the algorithm without the GPU that it was promised. The message is for the
 * researcher.
 */
export class GpuError extends Error {
  override name = "GpuError";
}

/**
 * The create request's `DeviceRequests`. `podman` is Podman's version, if that is what the engine
 * is.
 */
export function gpuRequests(podman: string | undefined): unknown[] {
  if (podman === undefined) return [{ Count: -1, Capabilities: [["gpu"]] }];
  const problem = gpuProblem(podman);
  if (problem) throw new GpuError(problem);
  return [{ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=all"] }];
}

/** Why this version of Podman cannot give GPUs. */
export function gpuProblem(podman: string): string | undefined {
  const [major = 0, minor = 0] = podman.split(".").map(Number);
  const [least, then] = PODMAN_HEARS_FROM;
  if (major > least || (major === least && minor >= then)) return undefined;
  return `This node is to give algorithms its GPUs, but its Podman ${podman} ignores that; ` +
    `Podman ${least}.${then} or later, or Docker, can.`;
}
