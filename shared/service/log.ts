/**
 * Structured logs: one JSON object a line on standard error, with whatever ids the caller binds; a
 * line for people where that is a terminal. Values under a name that sounds like a secret are never
 * printed.
 * @module
 */
import { createRenderer, LEVELS, type LogLevel, readLogLine } from "./log_text.ts";

export type { LogLevel };
export type LogFields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line, for example `request_id` or `task_id`. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  level?: LogLevel;
  write?: (line: string) => void;
  now?: () => Date;
}

const SECRET = /passw|secret|token|api_?key|seed|authorization|credential|jwt|cookie/i;
const encoder = new TextEncoder();

function plain(value: unknown): unknown {
  if (value instanceof Error) {
    return {
      name: value.name,
      message: value.message,
      stack: value.stack,
      cause: plain(value.cause),
    };
  }
  if (typeof value === "bigint") return String(value);
  return value;
}

function redact(key: string, value: unknown): unknown {
  return SECRET.test(key) && value !== null && value !== undefined ? "[hidden]" : plain(value);
}

function standardError(): (line: string) => void {
  const put = (line: string) => void Deno.stderr.writeSync(encoder.encode(line + "\n"));
  if (!Deno.stderr.isTerminal()) return put;
  const render = createRenderer({ colour: !Deno.noColor });
  return (line) => {
    const { service } = JSON.parse(line);
    put(render(service, readLogLine(line)));
  };
}

/** Makes the logger of one process or part; `service` stands on every line. */
export function createLogger(
  service: string,
  { level = "info", write, now = () => new Date() }: LoggerOptions = {},
): Logger {
  const least = LEVELS.indexOf(level);
  const out = write ?? standardError();

  function make(bound: LogFields): Logger {
    function line(at: LogLevel, message: string, fields: LogFields = {}) {
      if (LEVELS.indexOf(at) < least) return;
      const record = {
        time: now().toISOString(),
        level: at,
        service,
        message,
        ...bound,
        ...fields,
      };
      out(JSON.stringify(record, redact));
    }
    return {
      debug: (message, fields) => line("debug", message, fields),
      info: (message, fields) => line("info", message, fields),
      warn: (message, fields) => line("warn", message, fields),
      error: (message, fields) => line("error", message, fields),
      with: (fields) => make({ ...bound, ...fields }),
    };
  }
  return make({});
}

/** A logger that says nothing, for tests and one-off tools. */
export const silentLogger: Logger = createLogger("silent", { write: () => {} });
