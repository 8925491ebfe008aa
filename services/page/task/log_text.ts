/**
 * A log that grows: in chunks of lines, so that what comes new draws the last chunk alone again.
 * @module
 */

export interface LogText {
  /** Each of at most so many lines; together the whole text. */
  chunks: readonly string[];
  lines: number;
}

const CHUNK_LINES = 200;

export function logOf(text: string | null): LogText {
  return text ? withLines({ chunks: [], lines: 0 }, text.split("\n")) : { chunks: [], lines: 0 };
}

export function withLines(log: LogText, added: readonly string[]): LogText {
  if (added.length === 0) return log;
  const chunks = [...log.chunks];
  let { lines } = log;
  let at = 0;
  while (at < added.length) {
    const inLast = lines % CHUNK_LINES;
    const some = added.slice(at, at + CHUNK_LINES - inLast);
    const text = some.join("\n");
    if (inLast === 0) chunks.push(text);
    else chunks[chunks.length - 1] += `\n${text}`;
    lines += some.length;
    at += some.length;
  }
  return { chunks, lines };
}

/**
 * The lines of `heard` that are not in `known` yet, of which `heard` may begin with the end: what
 * the feed told while the hub was asked may be in its answer already.
 */
export function unknownLines(known: string | null, heard: readonly string[]): readonly string[] {
  if (!known || heard.length === 0) return heard;
  const lines = known.split("\n");
  for (let overlap = Math.min(lines.length, heard.length); overlap > 0; overlap--) {
    const from = lines.length - overlap;
    if (heard.slice(0, overlap).every((line, index) => line === lines[from + index])) {
      return heard.slice(overlap);
    }
  }
  return heard;
}

/** The end of a log, as the reason of a failure. */
export function endOf(log: string | null, { lines, characters }: {
  lines: number;
  characters: number;
}): string {
  const text = (log ?? "").trimEnd().split("\n").slice(-lines).join("\n");
  return text.length > characters ? `… ${text.slice(-characters)}` : text;
}
