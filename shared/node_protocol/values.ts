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

/**
 * Which code it is that runs: the SHA-256 of an algorithm's file, or the digest by which an image
 * is named.
 */
export const codeText = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** SHA-256 in lower-case hex. */
export const sha256Text = z.string().regex(/^[0-9a-f]{64}$/);
