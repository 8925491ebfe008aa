/**
 * What a container left as its result.
 * @module
 */
import { join } from "node:path";
import type { ContentFile } from "../payload/pieces.ts";
import { inspectFile } from "../run/output.ts";
import type { RunFolder } from "./run_folder.ts";

/** The result of a container that has ended; `null` when it left none. */
export async function collectOutput(
  folder: RunFolder,
  { maxBytes }: { maxBytes: number },
): Promise<ContentFile | null | "too large"> {
  await takeOutput(folder);
  const info = await Deno.lstat(folder.output).catch(() => undefined);
  // The folder was the algorithm's: only what is a file is read, and nothing that a link points to.
  if (!info?.isFile || info.nlink !== 1 || info.size === 0) return null;
  if (info.size > maxBytes) return "too large";
  const output = await inspectFile(folder.output);
  return output.size > maxBytes ? "too large" : output;
}

/**
 * Moves what the run left as its result to where no container sees it. Another run of the job may
 * have been given its folder, open, and could put a link to any file in its place while the agent
 * reads it.
 */
async function takeOutput({ io, output }: RunFolder): Promise<void> {
  // Taken by an agent that died after that.
  if (await Deno.lstat(output).catch(() => undefined)) return;
  const path = join(io, "output");
  try {
    await Deno.rename(path, output);
  } catch (error) {
    if ((await Deno.lstat(path).catch(() => undefined))?.isFile) throw error;
  }
}
