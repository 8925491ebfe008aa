/**
 * Values that several messages between hub and node carry.
 * @module
 */
import { z } from "zod";

/**
 * The id of something, or the number of an attempt: a positive integer that Postgres' `integer` can
 * hold.
 */
export const id = z.int32().positive();

/** One attempt at one result: what every report is about. */
export const attemptIdSchema = z.object({ result_id: id, attempt: id });
export type AttemptId = z.infer<typeof attemptIdSchema>;

/** SHA-256 in lower-case hex. */
export const sha256Text = z.string().regex(/^[0-9a-f]{64}$/);
