/**
 * What the parts of a stack write, each in its own form, as entries of one log.
 * @module
 */
import { type LogEntry, type LogLevel, readLogLine } from "../../shared/service/log_text.ts";

/** How a part writes: our services JSON, the servers each in their own way. */
export type LineFormat = "json" | "nats" | "postgres";

const NATS_LINE = /^\[\d+\] \S+ \S+ \[(\w{3})\] (.*)$/;
const NATS_LEVELS: Record<string, LogLevel> = { WRN: "warn", ERR: "error", FTL: "error" };
/** Said at every start: TLS is the front's business, and on one machine nobody's. */
const NATS_EXPECTED = /^Websocket not configured with TLS/;
const POSTGRES_LINE =
  /^(LOG|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT): +(.*)$/;
/**
 * An ERROR is a refused statement, which its service handles; only the server's own trouble is
 * shown.
 */
const POSTGRES_LEVELS: Record<string, LogLevel> = {
  WARNING: "warn",
  FATAL: "warn",
  PANIC: "error",
};

/** Reads one line. What is not in the part's form is taken as it stands. */
export function parseLine(format: LineFormat, line: string): LogEntry {
  if (format === "json") return readLogLine(line);
  const [pattern, levels] = format === "nats"
    ? [NATS_LINE, NATS_LEVELS]
    : [POSTGRES_LINE, POSTGRES_LEVELS];
  const match = pattern.exec(line);
  if (!match || NATS_EXPECTED.test(match[2]!)) return { level: "debug", message: line, fields: {} };
  return { level: levels[match[1]!] ?? "debug", message: match[2]!, fields: {} };
}
