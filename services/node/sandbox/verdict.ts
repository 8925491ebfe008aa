/**
 * From what happened to a runner to the status word and the sentence that the researcher reads.
 * @module
 */
import { pathToFileURL } from "node:url";
import type { ErrorFrame } from "./frames.ts";
import type { RunFolder } from "./run_folder.ts";
import type { Output } from "../run/output.ts";
import type { Outcome, RunLimits, RunSpec } from "../run/runtime.ts";

/** How a run ended, its log apart. */
export type Verdict = Omit<Outcome, "log">;

/** Characters of an algorithm's own words in a reason. */
const MAX_TEXT = 8000;

function no(status: Verdict["status"], reason: string): Verdict {
  return { status, result: null, reason };
}

export const KILLED: Verdict = no("killed by user", "The run was killed.");

export function overTime({ timeoutSeconds }: RunLimits): Verdict {
  return no(
    "failed",
    `The run took longer than the ${timeoutSeconds} seconds that this node gives it.`,
  );
}

export function overLimit(reason: string): Verdict {
  return no("failed", reason);
}

/** The verdict on a whole result. */
export function judgeResult({ isJson, ...result }: Output): Verdict {
  if (!isJson) {
    return no(
      "crashed",
      "The algorithm's output is not JSON, which an algorithm in the sandbox must return.",
    );
  }
  return { status: "completed", result, reason: null };
}

/** The verdict on an error that the runner tells of. */
export function explainError(
  { kind, text }: ErrorFrame,
  { algorithm, input, limits }: Pick<RunSpec, "algorithm" | "input" | "limits">,
  place: RunFolder,
): Verdict {
  const words = clean(
    text.replaceAll(pathToFileURL(place.algorithm).href, algorithm.name)
      .replaceAll(`${place.path}/`, ""),
  );
  switch (kind) {
    case "input":
      return no("start failed", words);
    case "load":
      return no("start failed", `The algorithm ${algorithm.name} cannot be loaded. ${words}`);
    case "memory":
      return no("crashed", `${outOfMemory(limits)} ${words}`);
    case "result":
      return no(
        "crashed",
        `The result${"method" in input ? ` of ${input.method}` : ""} cannot be sent. ${words}`,
      );
    default:
      return no("crashed", words);
  }
}

/**
 * The verdict on a process that ended by itself without another one. `errors` is the end of its standard error,
 * `ready` whether the runner ever spoke.
 */
export function explainDeath(
  { code, signal }: Deno.CommandStatus,
  errors: string,
  { ready, limits }: { ready: boolean; limits: RunLimits },
): Verdict {
  if (!ready) {
    return no("start failed", "The node's sandbox did not start; the node's own log says why.");
  }
  if (signal === "SIGXCPU") {
    return no("failed", "The run used more processor time than this node gives it.");
  }
  // V8 and Rust abort, mostly with a word about it, when the kernel gives them no more.
  if (/out of memory|memory allocation of \d+ bytes failed/i.test(errors)) {
    return no("crashed", outOfMemory(limits));
  }
  if (signal === "SIGTRAP" || signal === "SIGABRT" || signal === "SIGILL") {
    return no(
      "crashed",
      `The run broke down (${signal}), most likely because it ran out of memory.`,
    );
  }
  if (signal === "SIGKILL") {
    return no("crashed", "The machine killed the run, most likely because its own memory ran out.");
  }
  const how = signal ? `by the signal ${signal}` : `with exit code ${code}`;
  return no("crashed", `The algorithm ended its process ${how} before it returned a result.`);
}

function outOfMemory({ memoryMiB }: RunLimits): string {
  return `The algorithm ran out of memory: this node gives it ${memoryMiB} MiB.`;
}

/** What a database can hold and a person can read. */
function clean(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} …` : text;
  return cut.replaceAll("\0", "\ufffd").toWellFormed();
}
