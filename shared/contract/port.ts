/**
 * Ports that a running algorithm offers to those of other sites (contract §3.12).
 * @module
 */
import { z } from "zod";
import { id, integer, queryId, text } from "./fields.ts";

export const newPort = z.object({
  port: integer.pipe(z.number().min(1).max(65535)),
  run_id: id,
  label: text.pipe(z.string().max(128)).nullish().transform((label) => label ?? null),
});

export const portDeletion = z.object({ run_id: queryId });

export const port = z.object({
  id: z.number().int(),
  port: z.number().int(),
  label: z.string().nullable(),
}).meta({ id: "Port" });
export type Port = z.infer<typeof port>;
