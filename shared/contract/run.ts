/**
 * Runs (contract §3.8): one organization's share of a task. What clients send, and the Run they are
 * shown.
 * @module
 */
import { z } from "zod";
import { FINAL_STATUSES, OPEN_STATUSES } from "../node_protocol/status.ts";
import { isoDate, nullAsAbsent, queryInclude, text } from "./fields.ts";
import { port } from "./port.ts";
import { reference } from "./references.ts";
import { resultList } from "./result.ts";

const status = z.enum([...OPEN_STATUSES, ...FINAL_STATUSES]);

const wanted = {
  include: queryInclude.optional(),
  /**
   * Beyond v6's API: what of `input` and `log`, which can be large, is wanted; both unless it is
   * said. The others are null then.
   */
  payload: z.enum(["none", "log"]).optional(),
};
export const runQuery = z.object(wanted);
export const runList = resultList.extend(wanted);

/** How v6's own nodes report a run. */
export const runChanges = z.object({
  started_at: nullAsAbsent(isoDate),
  finished_at: nullAsAbsent(isoDate),
  /** Whatever the program printed. */
  log: nullAsAbsent(z.string()),
  result: nullAsAbsent(text),
  status: nullAsAbsent(status),
});
export type RunChanges = z.infer<typeof runChanges>;

export const run = z.object({
  id: z.number().int(),
  status,
  /** The payload, or the id of the blob that holds it. */
  input: z.string().nullable(),
  log: z.string().nullable(),
  assigned_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  /** When the payloads were removed. */
  cleanup_at: z.string().nullable(),
  /** Whether `input` is the id of a blob. */
  blob_storage_used: z.boolean(),
  /** Beyond v6's API: which attempt counts. */
  attempt: z.number().int(),
  /**
   * Beyond v6's API: which code ran, as `sha256:<hex>` of the algorithm's file or of the image's
   * digest; null before it starts, and where the node does not know it by then.
   */
  code: z.string().nullable(),
  /**
   * Beyond v6's API: since when the result has waited at its organization for a person to release
   * it; null unless it does. Its status is `active` as long.
   */
  held_since: z.string().nullable(),
  /** The same for people: `waiting for release at <organization>`. */
  waiting: z.string().nullable(),
  organization: reference,
  task: reference,
  results: reference,
  /** Empty when there is no such node any more. */
  node: z.object({
    id: z.number().int(),
    name: z.string(),
    ip: z.string().nullable(),
    status: z.string().nullable(),
  }).partial(),
  ports: z.array(port),
}).meta({ id: "Run" });
export type Run = z.infer<typeof run>;
