/**
 * Results (contract §3.8): what of a run has come out of it. A run and its result have the same id.
 * @module
 */
import { z } from "zod";
import { queryDate, queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { reference } from "./references.ts";

/** The filters that lists of runs and of results share. */
export const resultList = pageQuery.extend({
  task_id: queryId.optional(),
  /** Beyond v6's API: of a task and all its descendants. */
  job_id: queryId.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  node_id: queryId.optional(),
  port: queryId.optional(),
  /** `open`, or a status; v6 takes any text, and ignores all but `open`. */
  state: text.optional(),
  assigned_from: queryDate.optional(),
  assigned_till: queryDate.optional(),
  started_from: queryDate.optional(),
  started_till: queryDate.optional(),
  finished_from: queryDate.optional(),
  finished_till: queryDate.optional(),
});
export type ResultList = z.infer<typeof resultList>;

export const result = z.object({
  id: z.number().int(),
  /** The payload, or the id of the blob that holds it. */
  result: z.string().nullable(),
  /** Whether `result` is the id of a blob. */
  blob_storage_used: z.boolean(),
  /** When the payload was removed. */
  cleanup_at: z.string().nullable(),
  run: reference,
  task: reference,
}).meta({ id: "Result" });
export type Result = z.infer<typeof result>;
