import type { z } from "zod";
import { SextantError } from "../../../shared/service/errors.ts";

/**
 * What a node's message says; throws `invalid_request`, which the node does not try again, for
 * anything else.
 */
export function parseMessage<Schema extends z.ZodType>(
  schema: Schema,
  payload: string,
  what: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(payload));
  if (parsed.success) return parsed.data;
  throw new SextantError("invalid_request", `The ${what} is malformed: ${parsed.error.message}`);
}

function parseJson(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch (cause) {
    throw new SextantError("invalid_request", "The message is not JSON.", { cause });
  }
}
