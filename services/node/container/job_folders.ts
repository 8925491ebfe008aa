/**
 * The temporary folders that runs of one job share: one run may find what an earlier one has left.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { namesIn, removeOrWarn } from "./run_folder.ts";

export interface JobFolders {
  /** The folder of a job; made if need be. */
  of(jobId: number): Promise<string>;
  /** Keeps the folder of a job until the function that it gives is called. */
  hold(jobId: number): () => void;
  /** Removes the folders of jobs that are over. What stays is tried again with the next call. */
  sweep(isOver: (jobId: number) => Promise<boolean>): Promise<void>;
}

/** Keeps the folders of jobs in `folder`. */
export async function openJobFolders(folder: string, log: Logger): Promise<JobFolders> {
  await Deno.mkdir(folder, { recursive: true });
  /** How many runs hold a job's folder. */
  const holds = new Map<number, number>();

  function isHeld(jobId: number): boolean {
    return (holds.get(jobId) ?? 0) > 0;
  }

  return {
    async of(jobId) {
      const path = join(folder, String(jobId));
      await Deno.mkdir(path, { recursive: true });
      await Deno.chmod(path, 0o777);
      return path;
    },
    hold(jobId) {
      holds.set(jobId, (holds.get(jobId) ?? 0) + 1);
      return function release() {
        const left = holds.get(jobId)! - 1;
        if (left > 0) holds.set(jobId, left);
        else holds.delete(jobId);
      };
    },
    async sweep(isOver) {
      const jobs = (await namesIn(folder)).map(Number).filter(Number.isInteger);
      for (const jobId of jobs) {
        try {
          if (isHeld(jobId) || !await isOver(jobId)) continue;
          // A run of it may have begun meanwhile.
          if (!isHeld(jobId)) await removeOrWarn(join(folder, String(jobId)), log);
        } catch (error) {
          // One that stays must not keep the others.
          const reason = messageOf(error);
          log.warn("Cannot remove the temporary folder of a job", { job_id: jobId, reason });
        }
      }
    },
  };
}
