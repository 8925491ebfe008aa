/**
 * Rules (contract §3.6, §4.2): the rights there are. They are part of the program; clients can only
 * read them.
 * @module
 */
import { z } from "zod";
import { queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { link } from "./references.ts";

export const ruleList = pageQuery.extend({
  name: text.optional(),
  operation: text.optional(),
  scope: text.optional(),
  role_id: queryId.optional(),
  user_id: queryId.optional(),
  /** `1`: all of them, whatever else is asked. */
  no_pagination: text.optional(),
});

export const rule = z.object({
  id: z.number().int(),
  /** The resource: `task`. */
  name: z.string(),
  /** `CREATE`. */
  operation: z.string(),
  /** `COLLABORATION`. */
  scope: z.string(),
  description: z.string(),
  users: link,
}).meta({ id: "Rule" });
export type Rule = z.infer<typeof rule>;
