/**
 * What the parts of a stack write, each in its own form, as entries of one log.
 * @module
 */
import { type LogEntry, type LogLevel, readLogLine } from "../../shared/service/log_text.ts";

/**
 * How a part writes: our services JSON, the servers each in their own way; etcd and Caddy zap's.
 */
export type LineFormat = "json" | "nats" | "postgres" | "patroni" | "zap";

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

const PATRONI_LINE = /^\S+ \S+ (INFO|WARNING|ERROR|CRITICAL): (.*)$/;
const PATRONI_LEVELS: Record<string, LogLevel> = {
  WARNING: "warn",
  ERROR: "warn",
  CRITICAL: "error",
};
const FORMS = {
  nats: [NATS_LINE, NATS_LEVELS],
  postgres: [POSTGRES_LINE, POSTGRES_LEVELS],
  patroni: [PATRONI_LINE, PATRONI_LEVELS],
} as const;

/** Reads one line. What is not in the part's form is taken as it stands. */
export function parseLine(format: LineFormat, line: string): LogEntry {
  if (format === "json") return readLogLine(line);
  if (format === "zap") return readZapLine(line);
  // What Patroni starts writes into the same lines.
  if (format === "patroni" && POSTGRES_LINE.test(line)) return parseLine("postgres", line);
  const [pattern, levels] = FORMS[format];
  const match = pattern.exec(line);
  if (!match || NATS_EXPECTED.test(match[2]!)) return { level: "debug", message: line, fields: {} };
  return { level: levels[match[1]!] ?? "debug", message: match[2]!, fields: {} };
}

/** Of a line of Uber's logger for Go; what is no error is small talk. */
function readZapLine(line: string): LogEntry {
  try {
    const { level, msg, error } = JSON.parse(line);
    if (typeof level !== "string" || typeof msg !== "string") throw new TypeError("not zap's");
    const message = typeof error === "string" ? `${msg}: ${error}` : msg;
    return { level: /^(error|fatal|panic)$/.test(level) ? "warn" : "debug", message, fields: {} };
  } catch {
    return { level: "debug", message: line, fields: {} };
  }
}
