/**
 * The two ways of the standard streams between the agent and the runner in a sandbox.
 *
 * Agent to runner: JSON lines, first a {@linkcode StartMessage}, then {@linkcode Answer}s.
 * Runner to agent: frames, each a record separator, JSON and a line feed (as RFC 7464 has it); the frame `result` is
 * followed by its bytes. Whatever stands between frames is what the algorithm printed.
 *
 * The algorithm lives in the runner's process and can write here what it likes, so nothing is believed.
 * @module
 */
import { z } from "zod";

export const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

export interface StartMessage {
  /** Address of the algorithm's file. */
  algorithm: string;
  method: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  databases: { label: string; path: string }[];
  /** Calls that may be under way at once; the runner keeps further ones back. */
  max_calls: number;
}

/** What a {@linkcode Call} with this id led to. */
export type Answer = { id: number; value: unknown } | { id: number; error: string };

const callSchema = z.object({
  is: z.literal("call"),
  id: z.number().int(),
  what: z.enum(["organizations", "createTask", "results"]),
  input: z.unknown(),
});
const errorSchema = z.object({
  is: z.literal("error"),
  kind: z.enum(["load", "method", "thrown", "memory", "result"]),
  /** The error as text, with those lines of its stack that are the algorithm's. */
  text: z.string(),
});
const frameSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("ready") }),
  callSchema,
  errorSchema,
  z.object({ is: z.literal("result"), bytes: z.number().int().min(0) }),
]);

export type Call = z.infer<typeof callSchema>;
export type ErrorFrame = z.infer<typeof errorSchema>;
export type Frame = z.infer<typeof frameSchema>;

/** The runner's output is none, or goes beyond a limit. The message is a sentence for the researcher. */
export class FrameError extends Error {
  override name = "FrameError";
}

export interface FrameReaderOptions {
  /** Largest frame, result apart. */
  maxFrameBytes: number;
  maxResultBytes: number;
  onFrame: (frame: Exclude<Frame, { is: "result" }>) => void;
  onResult: (result: Uint8Array) => void;
  /** Bytes between frames, as they come. */
  onPrinted: (bytes: Uint8Array) => void;
}

/**
 * Returns a function that takes the output apart, piece by piece, and holds no more of it than the limits allow.
 * It throws a {@linkcode FrameError}; what comes after that, or after a result, is to be ignored.
 */
export function createFrameReader(
  { maxFrameBytes, maxResultBytes, onFrame, onResult, onPrinted }: FrameReaderOptions,
): (chunk: Uint8Array) => void {
  /** Pieces of the frame that has begun. */
  let pieces: Uint8Array[] | undefined;
  let pieceBytes = 0;
  let result: Uint8Array | undefined;
  let resultBytes = 0;

  function takeFrame() {
    const frame = parseFrame(join(pieces!, pieceBytes));
    pieces = undefined;
    pieceBytes = 0;
    if (frame.is !== "result") return onFrame(frame);
    if (frame.bytes > maxResultBytes) {
      throw new FrameError(
        `The result is too large: ${
          inMiB(frame.bytes)
        } MiB of JSON, and this node lets out at most ` +
          `${inMiB(maxResultBytes)} MiB.`,
      );
    }
    result = new Uint8Array(frame.bytes);
    if (frame.bytes === 0) onResult(result);
  }

  return function push(chunk) {
    for (let at = 0; at < chunk.length;) {
      if (result) {
        const part = chunk.subarray(at, at + result.length - resultBytes);
        if (part.length === 0) return;
        result.set(part, resultBytes);
        resultBytes += part.length;
        at += part.length;
        if (resultBytes === result.length) onResult(result);
      } else if (pieces) {
        const end = chunk.indexOf(LINE_FEED, at);
        const piece = chunk.subarray(at, end < 0 ? chunk.length : end);
        pieces.push(piece);
        pieceBytes += piece.length;
        if (pieceBytes > maxFrameBytes) {
          throw new FrameError(
            `The algorithm asked for something in more than ${inMiB(maxFrameBytes)} MiB.`,
          );
        }
        at += piece.length + 1;
        if (end >= 0) takeFrame();
      } else {
        const separator = chunk.indexOf(RECORD_SEPARATOR, at);
        const end = separator < 0 ? chunk.length : separator;
        if (end > at) onPrinted(chunk.subarray(at, end));
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

function inMiB(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20 * 10) / 10;
}
