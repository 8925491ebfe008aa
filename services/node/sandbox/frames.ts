/**
 * The two ways of the standard streams between the agent and the runner in a sandbox.
 *
 * Agent to runner: JSON lines, first a {@linkcode StartMessage}, then {@linkcode Answer}s. Runner
 * to agent: frames, each a record separator, JSON and a line feed (as RFC 7464 has it); a frame
 * `result` is followed by so many bytes of the result, and by another one of its kind if there is
 * `more`; a frame `task` by so many bytes of JSON, with which a subtask is to be called. Whatever
 * stands between frames is what the algorithm printed.
 *
 * The algorithm lives in the runner's process and can write here what it likes, so nothing is
 * believed. JSON that is read takes up to fourteen times its bytes in the agent's heap, which all
 * runs of the site share (`[],[],…`); so a frame is small, and what must be large is passed on as
 * bytes that nobody here reads.
 * @module
 */
import { z } from "zod";
import type { Context } from "../algorithms/api.ts";
import type { RawJson } from "../payload/raw_json.ts";
import type { DataAccess } from "../disclosure/decision.ts";

export const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

export interface MethodCall {
  method: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}

/** Where the run is and what for, as the algorithm sees it. */
export type Place = Pick<Context, "organization" | "node" | "task" | "settings" | "disclosure">;

export interface StartMessage {
  /** Address of the algorithm's file. */
  algorithm: string;
  /**
   * What it is called with, or the path of the file that says so; null to ask what it says of
   * itself (`read_self.ts`).
   */
  call: MethodCall | RawJson | string | null;
  /** Without a path where it gets no rows. */
  databases: { label: string; path: string | null }[];
  access: DataAccess;
  place: Place;
  /** Whether arguments may be conditions on rows. */
  allow_where: boolean;
  /** Calls that may be under way at once; the runner keeps further ones back. */
  max_calls: number;
  /** Digests by which the node's own algorithms name rows: see `Exit.knownRows`. */
  known_rows?: readonly string[];
}

/** What a {@linkcode Call} with this id led to. */
export type Answer = { id: number; value: unknown } | { id: number; error: string };

const callSchema = z.object({
  is: z.literal("call"),
  id: z.number().int(),
  what: z.enum(["organizations", "results", "aggregates"]),
  input: z.unknown(),
});
const taskSchema = z.object({
  is: z.literal("task"),
  id: z.number().int(),
  /** For whom it is, and what it is called. */
  about: z.unknown(),
  /** How many bytes of JSON follow: its input. */
  bytes: z.number().int().min(0),
});
const errorSchema = z.object({
  is: z.literal("error"),
  kind: z.enum(["input", "load", "method", "thrown", "memory", "result"]),
  /** The error as text, with those lines of its stack that are the algorithm's. */
  text: z.string(),
});
const frameSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("ready") }),
  callSchema,
  taskSchema,
  errorSchema,
  z.object({
    is: z.literal("result"),
    bytes: z.number().int().min(0),
    more: z.boolean().exactOptional(),
  }),
]);

export type Call = z.infer<typeof callSchema>;
export type TaskCall = z.infer<typeof taskSchema>;
export type ErrorFrame = z.infer<typeof errorSchema>;
export type Frame = z.infer<typeof frameSchema>;

/**
 * The runner's output is none, or goes beyond a limit. The message is a sentence for the
 * researcher.
 */
export class FrameError extends Error {
  override name = "FrameError";
}

export interface FrameReaderOptions {
  /** Largest frame, without what follows it. */
  maxFrameBytes: number;
  /** Largest input of a subtask. */
  maxTaskBytes: number;
  maxResultBytes: number;
  onFrame: (frame: Exclude<Frame, { is: "result" | "task" }>) => void;
  /** A subtask is wanted; `input` is what followed. */
  onTask: (call: TaskCall, input: Uint8Array<ArrayBuffer>) => void;
  /** A piece of the result as it comes, good until the function returns; `last` ends the result. */
  onResult: (piece: Uint8Array, last: boolean) => void;
  /** Bytes between frames, as they come. */
  onPrinted: (bytes: Uint8Array) => void;
}

/**
 * Returns a function that takes the output apart, piece by piece, and holds no more of it than the
 * limits allow, and nothing of the pieces themselves. It throws a {@linkcode FrameError}; what
 * comes after that, or after a result, is to be ignored.
 */
export function createFrameReader(
  { maxFrameBytes, maxTaskBytes, maxResultBytes, onFrame, onTask, onResult, onPrinted }:
    FrameReaderOptions,
): (chunk: Uint8Array) => void {
  /** Pieces of the frame that has begun. */
  let pieces: Uint8Array[] | undefined;
  let pieceBytes = 0;
  /** The subtask whose input is coming. */
  let task: { call: TaskCall; input: Uint8Array<ArrayBuffer>; filled: number } | undefined;
  /** What has been announced of the result, and how much of it is still to come. */
  let result: { bytes: number; left: number; more: boolean } | undefined;

  function takeFrame() {
    const frame = parseFrame(join(pieces!, pieceBytes));
    pieces = undefined;
    pieceBytes = 0;
    if (frame.is !== "result") {
      if (!result) return frame.is === "task" ? beginTask(frame) : onFrame(frame);
      throw new FrameError(
        "The algorithm wrote to standard output while its result was handed over.",
      );
    }
    const bytes = (result?.bytes ?? 0) + frame.bytes;
    if (bytes > maxResultBytes) {
      const size = `${frame.more ? "more than " : ""}${inMiB(bytes)} MiB`;
      throw new FrameError(
        `The result is too large: ${size} of JSON, and this node lets out at most ` +
          `${inMiB(maxResultBytes)} MiB.`,
      );
    }
    result = { bytes, left: frame.bytes, more: frame.more ?? false };
    if (frame.bytes === 0) takeResult(new Uint8Array());
  }

  function beginTask(call: TaskCall) {
    if (call.bytes > maxTaskBytes) throw tooMuch(maxTaskBytes);
    // What is announced takes room as it comes: untouched memory is none.
    task = { call, input: new Uint8Array(call.bytes), filled: 0 };
    if (call.bytes === 0) takeInput(new Uint8Array());
  }

  function takeInput(piece: Uint8Array) {
    const { call, input } = task!;
    input.set(piece, task!.filled);
    task!.filled += piece.length;
    if (task!.filled < input.length) return;
    task = undefined;
    onTask(call, input);
  }

  function takeResult(piece: Uint8Array) {
    result!.left -= piece.length;
    onResult(piece, result!.left === 0 && !result!.more);
  }

  return function push(chunk) {
    for (let at = 0; at < chunk.length;) {
      if (result && !result.more && result.left === 0) return;
      if (result && result.left > 0) {
        const part = chunk.subarray(at, at + result.left);
        at += part.length;
        takeResult(part);
      } else if (task) {
        const part = chunk.subarray(at, at + task.input.length - task.filled);
        at += part.length;
        takeInput(part);
      } else if (pieces) {
        const end = chunk.indexOf(LINE_FEED, at);
        const piece = chunk.subarray(at, end < 0 ? chunk.length : end);
        pieces.push(piece.slice());
        pieceBytes += piece.length;
        if (pieceBytes > maxFrameBytes) throw tooMuch(maxFrameBytes);
        at += piece.length + 1;
        if (end >= 0) takeFrame();
      } else {
        const separator = chunk.indexOf(RECORD_SEPARATOR, at);
        const end = separator < 0 ? chunk.length : separator;
        if (end > at && !result) onPrinted(chunk.subarray(at, end));
        if (separator >= 0) pieces = [];
        at = end + 1;
      }
    }
  };
}

function parseFrame(bytes: Uint8Array): Frame {
  try {
    return frameSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new FrameError(
      "The algorithm wrote to standard output what looks like a message of its runner, but is none.",
      { cause },
    );
  }
}

function join(pieces: Uint8Array[], length: number): Uint8Array {
  const [first] = pieces;
  if (first && pieces.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function tooMuch(most: number): FrameError {
  return new FrameError(`The algorithm asked for something in more than ${inMiB(most)} MiB.`);
}

function inMiB(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20 * 10) / 10;
}
