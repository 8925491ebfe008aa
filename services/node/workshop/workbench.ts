/**
 * A sandbox for the commands of the workshop, in a folder that is gone afterwards; one that was
 * killed leaves it to the next to remove.
 * @module
 */
import { tmpdir } from "node:os";
import { createLogger, type Logger } from "../../../shared/service/log.ts";
import { makeHeldFolder } from "../record/held_folder.ts";
import type { RunLimits } from "../run/runtime.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";

export interface Workbench {
  sandbox: Sandbox;
  /** For files of this command; every account can walk through it. */
  folder: string;
  limits: RunLimits;
  log: Logger;
}

/** As a node has them that says nothing else, but for the time. */
export const LIMITS: RunLimits = { timeoutSeconds: 600, memoryMiB: 2048, outputMiB: 64 };

export async function withWorkbench<Result>(
  work: (bench: Workbench) => Promise<Result>,
  limits: RunLimits = LIMITS,
): Promise<Result> {
  const held = await makeHeldFolder(tmpdir(), "sextant-algorithm-");
  const folder = held.path;
  await Deno.chmod(folder, 0o711);
  const log = createLogger("algorithm", { level: "error" });
  try {
    const sandbox = await createSandbox({ folder, log, limits });
    try {
      return await work({ sandbox, folder, limits, log });
    } finally {
      await sandbox.close();
    }
  } finally {
    await held.remove();
  }
}
