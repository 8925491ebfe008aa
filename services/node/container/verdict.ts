/**
 * From how a container ended to the status word and the sentence that the researcher reads.
 * @module
 */
import type { ContentFile } from "../payload/pieces.ts";
import { noResult, type Verdict } from "../run/outcome.ts";
import type { RunLimits } from "../run/runtime.ts";

/** 128 and the number of SIGKILL. */
const KILLED = 137;

export interface ContainerEnd {
  exitCode: number;
  /**
   * Whether the kernel has killed a process of it, the first or another, for want of memory: its
   * own or the machine's. Engines say no on machines with cgroups v1, whatever happened.
   */
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
  const want = `for want of memory, of which this node gives it ${memoryMiB} MiB and the machine ` +
    "may have had less left";
  if (exitCode === KILLED) {
    const killed = `The algorithm was killed (exit code ${exitCode})`;
    return oomKilled ? `${killed} ${want}.` : `${killed}: ${want}, or by somebody at the machine.`;
  }
  if (oomKilled) {
    return `A part of the algorithm was killed ${want}; then it ended with exit code ${exitCode}.`;
  }
  const signal = exitCode > 128 && exitCode < 160 ? `, that is signal ${exitCode - 128}` : "";
  return `The algorithm ended with exit code ${exitCode}${signal}; its log may say why.`;
}
