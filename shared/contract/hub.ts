/**
 * What the hub tells of itself: its version, and whether it is well.
 * @module
 */
import { z } from "zod";

export const version = z.object({
  /** The version of v6's API that this hub speaks. */
  version: z.string(),
  sextant: z.string(),
});

export const health = z.object({
  /** Whether all services and their databases answer. */
  database: z.boolean(),
  msg: z.string(),
  /** Of each service, and of `jetstream`, which keeps what is told of changes. */
  services: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() })),
});
