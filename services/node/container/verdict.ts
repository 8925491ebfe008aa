/**
 * From how a container ended to the status word and the sentence that the researcher reads.
 * @module
 */
import type { ContentFile } from "../payload/pieces.ts";
import { noResult, type Verdict } from "../run/outcome.ts";
import type { RunLimits } from "../run/runtime.ts";

export interface ContainerEnd {
  exitCode: number;
  /** What the engine says; it says no on machines with cgroups v1, whatever happened. */
  oomKilled: boolean;
}

export function vanished(): Verdict {
  return noResult(
    "unknown error",
    "The container vanished: something other than this node removed it.",
  );
}

export function overDisk(diskMiB: number): Verdict {
  return noResult(
    "failed",
    `The run wrote more than the ${diskMiB} MiB of files that this node gives it.`,
  );
}

/** `why` goes on from "cannot be counted". */
export function uncountable(why: string): Verdict {
  return noResult("failed", `The files that the run wrote cannot be counted: ${why}.`);
}

export function overOutput({ outputMiB }: RunLimits): Verdict {
  return noResult("failed", `The result is larger than the ${outputMiB} MiB that this node takes.`);
}

/**
 * The verdict on a container that ended by itself. `output` is what it left as its result, if
 * anything: bytes that its readers understand, whatever they are, also when it crashed (contract of
 * algorithms §4.3, §20).
 */
export function judgeEnd(
  end: ContainerEnd,
  output: ContentFile | null,
  limits: RunLimits,
): Verdict {
  const reason = explainExit(end, limits);
  return { status: reason === null ? "completed" : "crashed", result: output, reason };
}

function explainExit(
  { exitCode, oomKilled }: ContainerEnd,
  { memoryMiB }: RunLimits,
): string | null {
  if (exitCode === 0) return null;
  if (oomKilled || exitCode === 137) {
    const killed = `The algorithm was killed (exit code ${exitCode})`;
    const given = `this node gives it ${memoryMiB} MiB`;
    if (oomKilled) return `${killed}, because it ran out of memory: ${given}.`;
    return `${killed}, most likely because it ran out of memory: ${given}, ` +
      "of which the machine may have had less left.";
  }
  const signal = exitCode > 128 && exitCode < 160 ? `, that is signal ${exitCode - 128}` : "";
  return `The algorithm ended with exit code ${exitCode}${signal}; its log may say why.`;
}
