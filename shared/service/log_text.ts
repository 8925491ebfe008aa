/**
 * Log lines for people: what a process with a terminal writes of itself, and a launcher of its
 * parts.
 * @module
 */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LEVELS[number];

export interface LogEntry {
  level: LogLevel;
  message: string;
  fields: Record<string, unknown>;
}

/** Reads a line of our logger. What is none is taken as it stands. */
export function readLogLine(line: string): LogEntry {
  try {
    const { level, message, time: _time, service: _service, ...fields } = JSON.parse(line);
    if (!LEVELS.includes(level) || typeof message !== "string") throw new TypeError("not ours");
    return { level, message, fields };
  } catch {
    // Not from our logger: a crash, or a warning of the runtime.
    return { level: "warn", message: line, fields: {} };
  }
}

const PART_COLOURS = [36, 35, 34, 32, 96, 95, 94, 92];
const LEVEL_COLOURS: Record<LogLevel, number> = { debug: 2, info: 0, warn: 33, error: 31 };

export interface RenderOptions {
  colour: boolean;
  now?: () => Date;
}

/** Makes the function that renders an entry of a part. Each part keeps the colour it gets first. */
export function createRenderer({ colour, now = () => new Date() }: RenderOptions) {
  const parts: string[] = [];
  function paint(code: number, text: string) {
    return colour && code && text ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
  return function render(part: string, entry: LogEntry): string {
    if (!parts.includes(part)) parts.push(part);
    const hue = PART_COLOURS[parts.indexOf(part) % PART_COLOURS.length]!;
    const time = paint(2, now().toTimeString().slice(0, 8));
    const text = paint(LEVEL_COLOURS[entry.level], headOf(entry));
    return `${time} ${paint(hue, part.padEnd(13))} ${text}${paint(2, tailOf(entry))}`;
  };
}

/** An entry without time, part and colour. */
export function plainText(entry: LogEntry): string {
  return headOf(entry) + tailOf(entry);
}

function headOf({ level, message }: LogEntry): string {
  return (level === "warn" || level === "error" ? `${level}: ` : "") + printable(message);
}

function tailOf({ fields }: LogEntry): string {
  return Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`).join("");
}

function fieldText(value: unknown): string {
  if (typeof value === "string") {
    return /^[^\s"=]+$/.test(value) ? printable(value) : JSON.stringify(value);
  }
  // Of an error its message; the stack is in the JSON line for those who need it.
  const message = (value as { message?: unknown } | null)?.message;
  return JSON.stringify(typeof message === "string" ? message : value) ?? "undefined";
}

/** Text from outside may not move the cursor or change colours. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f\x9b]/g, "·");
}
