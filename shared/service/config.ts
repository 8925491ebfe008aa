/**
 * Configuration from the environment, read once at the start and validated as a whole.
 *
 * Every variable may instead be given as `<NAME>_FILE`, a path whose content is the value: that is
 * how containers hand over secrets.
 * @module
 */
import { z } from "zod";
import { LEVELS, type LogLevel } from "./log_text.ts";

/**
 * The environment is missing something, or something in it is malformed. The message names all of
 * it.
 */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `Cannot start: there ${
        problems.length === 1 ? "is a problem" : `are ${problems.length} problems`
      } in the configuration.\n` +
        problems.map((problem) => `  - ${problem}`).join("\n"),
    );
    this.name = "ConfigError";
  }
}

export interface ReadConfigOptions {
  env?: Record<string, string | undefined>;
  readFile?: (path: string) => string;
}

/**
 * Parses the variables named by `shape` (variable name → zod schema of its text).
 * Throws one {@linkcode ConfigError} that names every missing or malformed variable.
 *
 * ```ts
 * const config = readConfig({ SEXTANT_NATS_URL: z.url() });
 * ```
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  { env = Deno.env.toObject(), readFile = Deno.readTextFileSync }: ReadConfigOptions = {},
): z.infer<z.ZodObject<Shape>> {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const path = env[`${name}_FILE`];
    const direct = env[name];
    if (direct !== undefined && path !== undefined) {
      problems.push(`${name} and ${name}_FILE are both set; keep one`);
    } else if (direct !== undefined && direct !== "") {
      values[name] = direct;
    } else if (path) {
      try {
        values[name] = readFile(path).trim();
      } catch (error) {
        problems.push(`${name}_FILE cannot be read: ${(error as Error).message}`);
      }
    }
  }
  const parsed = z.object(shape).safeParse(values);
  if (parsed.success && problems.length === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (problems.some((problem) => problem.startsWith(name))) continue;
    problems.push(values[name] === undefined ? `${name} is missing` : `${name}: ${issue.message}`);
  }
  throw new ConfigError(problems);
}

/** The level in `SEXTANT_LOG_LEVEL`, if there is one. */
export function readLogLevel(options: ReadConfigOptions = {}): LogLevel | undefined {
  const level = z.enum(LEVELS, "must be debug, info, warn or error").optional();
  return readConfig({ SEXTANT_LOG_LEVEL: level }, options).SEXTANT_LOG_LEVEL;
}

/** One address, or several with commas between them. */
export const envUrls = z.string().refine(
  (list) => list.split(",").every((one) => URL.canParse(one)),
  "must be an address, or several with commas between them",
);

/** Schemas for values that are always text in the environment. */
export const envInteger = z.coerce.number().int();
export const envBoolean = z.enum(["true", "false", "1", "0"], "must be true or false").transform((
  text,
) => text === "true" || text === "1");
