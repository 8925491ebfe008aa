/**
 * Follows a runner from its first frame to its end, and answers what it asks. Whatever the
 * algorithm does with its streams, this side holds a bounded amount of it.
 * @module
 */
import { pathToFileURL } from "node:url";
import type { Logger } from "../../../shared/service/log.ts";
import type { Guard } from "../disclosure/guarded/guard.ts";
import { discard } from "../payload/pieces.ts";
import { encodeWithRaw, RawJson } from "../payload/raw_json.ts";
import { KILLED, MAX_TIMER, overTime, type Verdict } from "../run/outcome.ts";
import { createOutputFile } from "../run/output.ts";
import { createRunLog } from "../run/run_log.ts";
import type { Outcome, RunHandle } from "../run/runtime.ts";
import { createAnswerer, MAX_CALLS } from "./answer_calls.ts";
import { type Answer, createFrameReader, FrameError, type StartMessage } from "./frames.ts";
import type { RunFolder } from "./run_folder.ts";
import type { RunSpec } from "./run_spec.ts";
import type { RunnerProcess } from "./runner_process.ts";
import { explainDeath, explainError, judgeResult, overLimit } from "./verdict.ts";

/** Largest frame: what is read takes many times its bytes, and so does each that is under way. */
const MAX_FRAME_BYTES = 256 * 1024;
/** Largest input of a subtask, which is not read. */
const MAX_TASK_BYTES = 16 * 2 ** 20;
/** As much of standard error as tells how a process died. */
const TAIL_BYTES = 8192;

export interface Supervision {
  runner: RunnerProcess;
  runFolder: RunFolder;
  spec: RunSpec;
  /** What answers its questions about tables; it ends with the run. */
  guard: Guard;
  /** Where the result is to lie. */
  resultPath: string;
  maxLogBytes: number;
  log: Logger;
}

/**
 * Sends the runner its work and follows it; the first verdict that anything leads to is the run's.
 */
export function supervise(
  { runner, runFolder, spec, guard, resultPath, maxLogBytes, log }: Supervision,
): RunHandle {
  const { limits } = spec;
  const { process } = runner;
  const runLog = createRunLog({ maxBytes: maxLogBytes, onLines: spec.onLog });
  const send = createSender(process.stdin);
  const answerer = createAnswerer({ client: spec.client, guard }, send);
  const output = createOutputFile(resultPath);
  /** Pieces of the result that have come and are not in the file yet. */
  const arrived: Uint8Array[] = [];
  let complete = false;
  let verdict: Verdict | undefined;
  let ready = false;
  /** Resolves when there is nobody any more for whom to wait. */
  const over = Promise.withResolvers<unknown>();
  void process.status.then(over.resolve, over.resolve);

  function end(how: Verdict) {
    verdict ??= how;
    runner.kill();
    over.resolve(undefined);
  }

  const readFrames = createFrameReader({
    maxFrameBytes: MAX_FRAME_BYTES,
    maxTaskBytes: MAX_TASK_BYTES,
    maxResultBytes: limits.outputMiB * 2 ** 20,
    onPrinted: runLog.writer(),
    onFrame(frame) {
      if (frame.is === "ready") ready = true;
      else if (frame.is === "call") answerer.call(frame);
      else end(explainError(frame, spec, runFolder));
    },
    onTask: answerer.task,
    onResult(piece, last) {
      arrived.push(piece);
      complete = last;
    },
  });

  async function readOutput() {
    for await (const chunk of process.stdout) {
      if (verdict) continue;
      try {
        readFrames(chunk);
        // Nothing more is read before this is written, so memory does not grow with the result.
        for (const piece of arrived.splice(0)) await output.write(piece);
        if (complete) end(judgeResult(output.end()));
        else discard(chunk);
        await Promise.race([answerer.whenRoom(), over.promise]);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        end(overLimit(error.message));
      }
    }
  }

  async function follow(): Promise<Outcome> {
    const timer = setTimeout(
      () => end(overTime(limits)),
      Math.min(MAX_TIMER, limits.timeoutSeconds * 1000),
    );
    try {
      const errors = readErrors(process.stderr, runLog.writer());
      const [status, tail] = await Promise.all([process.status, errors, readOutput()]);
      if (!ready && !verdict) log.error("The sandbox did not start", { status, errors: tail });
      verdict ??= explainDeath(status, tail, { ready, limits });
    } catch (error) {
      log.error("Lost hold of a sandbox", { error });
      verdict ??= overLimit("The node lost hold of the run; its own log says why.");
    } finally {
      clearTimeout(timer);
      await guard.close().catch((error) => log.warn("Cannot end a guarded table", { error }));
      if (guard.counts.questions > 0) spec.onGuarded?.(guard.counts);
      await runner.remove().catch((error) => log.warn("Cannot remove a run's folder", { error }));
      await output.close({ keep: verdict?.result != null })
        .catch((error) => log.warn("Cannot remove what a run left as its result", { error }));
    }
    const { result } = verdict;
    return {
      ...verdict,
      log: runLog.text(),
      ...(result ? { release: () => Deno.remove(result.path).catch(() => {}) } : {}),
    };
  }

  send(startMessage(spec, runFolder));
  const done = follow();
  return {
    done,
    async kill() {
      end(KILLED);
      await done;
    },
  };
}

/** Prints what comes; resolves to the end of it. */
async function readErrors(
  stderr: ReadableStream<Uint8Array>,
  print: (chunk: Uint8Array) => void,
): Promise<string> {
  let tail: Uint8Array = new Uint8Array();
  for await (const chunk of stderr) {
    print(chunk);
    tail = tailOf(tail, chunk);
  }
  return new TextDecoder().decode(tail);
}

function tailOf(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.length >= TAIL_BYTES) return chunk.slice(-TAIL_BYTES);
  return new Uint8Array([...before, ...chunk]).slice(-TAIL_BYTES);
}

function startMessage(
  { input, place, access = "rows", databases, allowWhere = true, knownRows }: RunSpec,
  folder: RunFolder,
): StartMessage {
  const known = knownRows?.() ?? [];
  return {
    algorithm: pathToFileURL(folder.algorithm).href,
    call: input && "path" in input
      ? folder.input
      : input && "json" in input
      ? new RawJson(input.json)
      : input,
    // The paths are known only where the files are handed in.
    databases: access === "rows"
      ? folder.databases
      : databases.map(({ label }) => ({ label, path: null })),
    access,
    place,
    allow_where: allowWhere,
    max_calls: MAX_CALLS,
    ...known.length > 0 && { known_rows: known },
  };
}

function hasRaw(message: StartMessage | Answer): boolean {
  if ("call" in message) return message.call instanceof RawJson;
  return "value" in message && Array.isArray(message.value) &&
    message.value.some((part) => part?.result instanceof RawJson);
}

/**
 * Returns a function that sends a message, and resolves when it has gone or nobody is there to read
 * it.
 */
function createSender(
  stdin: WritableStream<Uint8Array>,
): (message: StartMessage | Answer) => Promise<void> {
  const writer = stdin.getWriter();
  const encoder = new TextEncoder();
  return async (message) => {
    if (!hasRaw(message)) {
      await writer.write(encoder.encode(`${JSON.stringify(message)}\n`)).catch(() => {});
      return;
    }
    const pieces = [...encodeWithRaw(message), encoder.encode("\n")];
    // All at once, so that no other message comes between them.
    await Promise.all(pieces.map((piece) => writer.write(piece))).catch(() => {});
  };
}
