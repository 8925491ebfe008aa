/**
 * The report of a finished attempt, written once as the very bytes that will be sent, so that it
 * can be sent again after a crash and a large one can go out as a stream.
 * @module
 */
import type { WrittenReport } from "../../../shared/node_protocol/reports.ts";
import type { FinalStatus } from "../../../shared/node_protocol/status.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { joined, type Seal } from "../../../shared/payload/form.ts";
import {
  collect,
  type ContentFile,
  discard,
  openNew,
  PIECE,
  readContent,
  readPieces,
  writeAll,
} from "../payload/pieces.ts";

/** How an attempt ended. */
export interface FinishedRun {
  status: FinalStatus;
  /** The algorithm's output. */
  result: ContentFile | null;
  /** Encrypts the result; without one it is plain. */
  seal?: Seal | null;
  log: string | null;
  /** For people: why it did not complete. */
  reason: string | null;
}

/**
 * Writes and syncs the report; `result` becomes base64 piece by piece, so memory does not grow with
 * it. Until it is whole, `path` is what it was: a report that is being replaced may have to be sent
 * after a crash.
 */
export async function writeFinishReport(
  path: string,
  head: AttemptId & { agent_id: string },
  { status, result, log, reason, seal }: FinishedRun,
): Promise<void> {
  const fresh = `${path}.new`;
  const file = await openNew(fresh);
  const encoder = new TextEncoder();
  const write = (text: string) => writeAll(file, encoder.encode(text));
  try {
    const rest: Omit<WrittenReport<"finish">, "result"> = { ...head, status, log, reason };
    const start = JSON.stringify(rest).slice(0, -1);
    if (result === null) {
      await write(`${start},"result":null}`);
    } else {
      await write(`${start},"result":"${seal?.header ?? ""}`);
      await writePayload(file, result, seal ?? null);
      await write('"}');
    }
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(fresh, path);
}

/**
 * Adds the base64 of a result, encrypted if that is wanted. Throws a {@linkcode ChangedFileError}
 * when the file is not the result that was there.
 */
async function writePayload(
  file: Deno.FsFile,
  result: ContentFile,
  seal: Seal | null,
): Promise<void> {
  const encoder = new TextEncoder();
  const text = new Uint8Array(2 * PIECE);
  // Pieces are multiples of three, so they join to one base64 text; the last one waits for what
  // ends the seal.
  async function add(bytes: Uint8Array) {
    const { written } = encoder.encodeInto(bytes.toBase64(), text);
    await writeAll(file, text.subarray(0, written));
  }
  let last: Uint8Array = new Uint8Array();
  for await (const piece of readContent(result)) {
    const sealed = seal ? seal.update(piece) : piece;
    if (piece.length === PIECE) await add(sealed);
    else last = new Uint8Array(sealed); // a Buffer's slice() would be no copy
    if (seal) discard(sealed);
  }
  await add(seal ? joined(last, seal.final()) : last);
}

/** Where in a file something stands: from `start` up to `end`, which is not part of it. */
export interface FilePart {
  path: string;
  start: number;
  end: number;
}

/**
 * A report taken apart: without its payload, and where in the file the payload's base64 lies, if
 * there is one.
 */
export interface SplitReport {
  head: Record<string, unknown>;
  part: FilePart | null;
}

export async function splitReport(path: string): Promise<SplitReport> {
  const { size } = await Deno.stat(path);
  const at = await findPayload(path) ?? size;
  const head = new TextDecoder().decode(await collect(readPieces(path, { end: at })));
  if (at === size) return { head: JSON.parse(head), part: null };
  return { head: JSON.parse(`${head}}`), part: { path, start: at + MARK.length, end: size - 2 } };
}

/**
 * A report as it is sent: in at most so many bytes, for which its log is cut in its middle if need
 * be.
 */
export function encodeReport(head: Record<string, unknown>, mostBytes: number): Uint8Array {
  const encoder = new TextEncoder();
  const whole = typeof head.log === "string" ? head.log : "";
  const note = "[The log was cut here: it is too long for a report.]";
  for (let kept = whole.length;; kept = Math.floor(kept * 0.9)) {
    const end = kept === 0 ? "" : whole.slice(-Math.ceil(kept / 2));
    const log = kept < whole.length
      ? `${whole.slice(0, Math.floor(kept / 2))}\n${note}\n${end}`.toWellFormed()
      : head.log;
    const bytes = encoder.encode(JSON.stringify({ ...head, log }));
    if (bytes.length <= mostBytes || kept === 0) return bytes;
  }
}

/** Quotes within the values before it are escaped, so this stands in a file only once. */
const MARK = ',"result":"';

async function findPayload(path: string): Promise<number | undefined> {
  const decoder = new TextDecoder("latin1");
  let passed = 0;
  let tail = "";
  for await (const piece of readPieces(path)) {
    const text = tail + decoder.decode(piece);
    const at = text.indexOf(MARK);
    if (at >= 0) return passed - tail.length + at;
    passed += piece.length;
    tail = text.slice(1 - MARK.length);
  }
}
