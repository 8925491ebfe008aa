/**
 * Held results as their owner reads them in a terminal. Whatever an algorithm returned may be
 * written to mislead the one who is to decide: so nothing of it moves the cursor, hides text or
 * turns its direction, and what stands there is what would leave.
 * @module
 */
import type { HeldNote } from "./held_files.ts";

/** Beyond this a result is shown as it is, not laid out. */
const MOST_LAID_OUT = 4 * 2 ** 20;
const LINE_LENGTH = 120;
const PAGE_LINES = 200;
/** Of what is not laid out. */
const PAGE_BYTES = 16_000;
/** Bytes of a character in UTF-8 behind its first one. */
const LONGEST_CHARACTER = 3;

/** Control characters, what is invisible, and what changes the direction of text. */
const HARMFUL =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufffc]|[\u{e0000}-\u{e0fff}]/gu;

/** Text of which every character is seen; line ends stay where `lines` says so. */
export function visible(text: string, { lines = false } = {}): string {
  return text.replace(HARMFUL, (found) => {
    if (lines && found === "\n") return found;
    const code = found.codePointAt(0)!.toString(16);
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
  });
}

/** One page of a result. */
export interface ResultPage {
  text: string;
  /** Counted from 1. */
  page: number;
  pages: number;
}

/**
 * A page of what an algorithm returned, of `size` bytes of which `read` gives some. JSON is laid
 * out unless it is large; bytes that are no text are shown as `\x..`.
 */
export async function showResult(
  { size, read }: { size: number; read: (start: number, end: number) => Promise<Uint8Array> },
  page: number,
): Promise<ResultPage> {
  if (size > MOST_LAID_OUT) {
    const start = (page - 1) * PAGE_BYTES;
    const pages = Math.ceil(size / PAGE_BYTES);
    if (page > pages) return { text: "", page, pages };
    const bytes = await read(start, Math.min(size, start + PAGE_BYTES + LONGEST_CHARACTER));
    // A character is on the page on which it begins.
    const isInside = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
    const edge = (at: number) => {
      let end = Math.min(at, bytes.length);
      while (end < at + LONGEST_CHARACTER && isInside(end)) end++;
      return end;
    };
    const text = textOf(bytes.subarray(page === 1 ? 0 : edge(0), edge(PAGE_BYTES)));
    return { text: linesOf(text).join("\n"), page, pages };
  }
  const lines = linesOf(laidOut(textOf(await read(0, size))));
  const pages = Math.max(1, Math.ceil(lines.length / PAGE_LINES));
  const from = (page - 1) * PAGE_LINES;
  return { text: lines.slice(from, from + PAGE_LINES).join("\n"), page, pages };
}

function linesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const shown = visible(line);
    const pieces: string[] = [];
    for (let at = 0; at < shown.length || at === 0; at += LINE_LENGTH) {
      pieces.push(shown.slice(at, at + LINE_LENGTH));
    }
    return pieces;
  });
}

function textOf(bytes: Uint8Array): string {
  try {
    // A mark at the beginning is a character like others here.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(
      bytes,
      (byte) =>
        byte >= 0x20 && byte < 0x7f
          ? String.fromCharCode(byte)
          : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  }
}

/**
 * JSON with a line for each part of it, laid out token by token: a name that stands twice in an
 * object, or a number that is no JavaScript number, is shown as it leaves. Other text as it is.
 */
function laidOut(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let depth = 0;
  let out = "";
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1] ?? "";
    const opens = token === "{" || token === "[";
    const closes = next === "}" || next === "]";
    if (opens) depth++;
    if (closes) depth--;
    out += token === ":" ? ": " : token;
    if (token === "," || opens !== closes && (opens || closes)) out += `\n${"  ".repeat(depth)}`;
  }
  return out;
}

/** The results that wait, in a table for people. */
export function showHeldList(notes: readonly HeldNote[], now: Date): string {
  if (notes.length === 0) return "No result waits for release.";
  const count = notes.length === 1 ? "1 result waits" : `${notes.length} results wait`;
  return [`${count} for release; the number is that of the run.`, ...notes.map(showOne)]
    .join("\n\n");

  function showOne(note: HeldNote): string {
    return [`${note.result_id}  since ${note.since} (${ago(note.since, now)})`, ...about(note)]
      .join("\n");
  }
}

/** What is known of one of them, a line each. */
export function about(note: HeldNote): string[] {
  const who = `user ${note.user_id}${note.username ? ` (${note.username})` : ""}`;
  return [
    `asked by   ${who} of organization ${note.organization_id}`,
    `task       ${note.task_id}, run ${note.result_id}, attempt ${note.attempt}`,
    `algorithm  ${note.image}`,
    `code       ${note.code ?? "not known"}`,
    `method     ${note.method ?? "not known"}`,
    `databases  ${note.databases.join(", ") || "none"}`,
    `size       ${note.size} bytes${
      note.log ? `, and a log of ${note.log.length} characters` : ""
    }`,
    `held       ${note.why}`,
    ...(note.ended === null ? [] : [`ended      ${note.ended}`]),
  ].map((line) => `    ${visible(line)}`);
}

function ago(since: string, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 60_000));
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}
