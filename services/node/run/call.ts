/**
 * What an algorithm is called with, as it stands in an input.
 * @module
 */
import { z } from "zod";

/**
 * Arguments by name. Not a record of zod's: that leaves out the name `__proto__`, so that what is
 * looked at would not be what the algorithm gets.
 */
export const namedArguments = z.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

export const callSchema = z.object({
  method: z.string().min(1),
  args: z.array(z.unknown()).default([]),
  kwargs: namedArguments.default({}),
});
export type Call = z.infer<typeof callSchema>;
