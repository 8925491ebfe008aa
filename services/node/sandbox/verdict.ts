/**
 * From what happened to a runner to the status word and the sentence that the researcher reads.
 * @module
 */
import { pathToFileURL } from "node:url";
import { wordsThatLeave } from "../disclosure/words.ts";
import { noResult, type Verdict } from "../run/outcome.ts";
import type { Output } from "../run/output.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { ErrorFrame } from "./frames.ts";
import type { RunFolder } from "./run_folder.ts";
import type { RunSpec } from "./run_spec.ts";
import { heapMiB } from "./walls.ts";

/** Characters of an algorithm's own words in a reason. */
const MAX_TEXT = 8000;

export function overLimit(reason: string): Verdict {
  return noResult("failed", reason);
}

/** The verdict on a whole result. */
export function judgeResult({ isJson, ...result }: Output): Verdict {
  if (!isJson) {
    return noResult(
      "crashed",
      "The algorithm's output is not JSON, which an algorithm in the sandbox must return.",
    );
  }
  return { status: "completed", result, reason: null };
}

/** The verdict on an error that the runner tells of. */
export function explainError(
  { kind, text }: ErrorFrame,
  spec: Pick<RunSpec, "algorithm" | "input" | "limits" | "words">,
  folder: RunFolder,
): Verdict {
  const { algorithm, words = "all" } = spec;
  const whole = clean(
    text.replaceAll(pathToFileURL(folder.algorithm).href, algorithm.name)
      .replaceAll(`${folder.path}/`, ""),
  );
  // What comes before the algorithm does anything is about what it was called with.
  const isBefore = kind === "input" || kind === "load" || kind === "method";
  const told = isBefore ? whole : wordsThatLeave(whole, words, algorithm.name);
  const verdict = verdictOn(kind, told, spec);
  return told === whole ? verdict : { ...verdict, said: whole };
}

function verdictOn(
  kind: ErrorFrame["kind"],
  words: string,
  { algorithm, input, limits }: Pick<RunSpec, "algorithm" | "input" | "limits">,
): Verdict {
  switch (kind) {
    case "input":
      return noResult("start failed", words);
    case "load":
      return noResult("start failed", `The algorithm ${algorithm.name} cannot be loaded. ${words}`);
    case "memory":
      return noResult("crashed", `${outOfMemory(limits)} ${words}`);
    case "result":
      return noResult(
        "crashed",
        `The result${
          input && "method" in input ? ` of ${input.method}` : ""
        } cannot be sent. ${words}`,
      );
    default:
      return noResult("crashed", words);
  }
}

/**
 * The verdict on a process that ended by itself without another one. `errors` is the end of its
 * standard error, `ready` whether the runner ever spoke.
 */
export function explainDeath(
  { code, signal }: Deno.CommandStatus,
  errors: string,
  { ready, limits }: { ready: boolean; limits: RunLimits },
): Verdict {
  if (!ready) {
    return noResult(
      "start failed",
      "The node's sandbox did not start; the node's own log says why.",
    );
  }
  if (signal === "SIGXCPU") {
    return noResult("failed", "The run used more processor time than this node gives it.");
  }
  if (/heap out of memory|heap limit/i.test(errors)) {
    return noResult(
      "crashed",
      "The algorithm ran out of memory for objects and texts: they may take " +
        `${heapMiB(limits)} MiB of the ${limits.memoryMiB} MiB that this node gives it. ` +
        "Arrays of numbers, such as Float64Array, do not count among them.",
    );
  }
  // V8 and Rust abort, mostly with a word about it, when the kernel gives them no more.
  if (/out of memory|memory allocation of \d+ bytes failed/i.test(errors)) {
    return noResult("crashed", outOfMemory(limits));
  }
  if (signal === "SIGTRAP" || signal === "SIGABRT" || signal === "SIGILL") {
    return noResult(
      "crashed",
      `The run broke down (${signal}), most likely because it ran out of memory.`,
    );
  }
  if (signal === "SIGKILL") {
    return noResult(
      "crashed",
      "The machine killed the run, most likely because its own memory ran out.",
    );
  }
  const how = signal ? `by the signal ${signal}` : `with exit code ${code}`;
  return noResult("crashed", `The algorithm ended its process ${how} before it returned a result.`);
}

function outOfMemory({ memoryMiB }: RunLimits): string {
  return `The algorithm ran out of memory: this node gives it ${memoryMiB} MiB.`;
}

/** What a database can hold and a person can read. */
function clean(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} …` : text;
  return cut.replaceAll("\0", "\ufffd").toWellFormed();
}
