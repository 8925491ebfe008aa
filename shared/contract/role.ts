/**
 * Roles (contract §3.6): what clients send, and the Role they are shown.
 * @module
 */
import { z } from "zod";
import { id, ids, nullAsAbsent, queryBoolean, queryId, repeatable, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { link, reference } from "./references.ts";

const name = text.pipe(z.string().min(1));
const description = text.pipe(z.string().max(1024));

export const newRole = z.object({
  name,
  description: nullAsAbsent(description),
  rules: ids,
  organization_id: nullAsAbsent(id),
});

/** v6's client sends what it does not change as null. */
export const roleChanges = z.object({
  name: nullAsAbsent(name),
  description: nullAsAbsent(description),
  rules: nullAsAbsent(ids),
  organization_id: z.null("cannot be changed").optional(),
});

export const roleDeletion = z.object({ delete_dependents: queryBoolean.default(false) });

export const roleList = pageQuery.extend({
  name: repeatable(text).optional(),
  description: repeatable(text).optional(),
  organization_id: repeatable(queryId).optional(),
  collaboration_id: queryId.optional(),
  rule_id: queryId.optional(),
  user_id: queryId.optional(),
  include_root: queryBoolean.optional(),
});

export const role = z.object({
  id: z.number().int(),
  name: z.string(),
  description: z.string(),
  /** One of the hub's own, which nobody changes. */
  is_default_role: z.boolean(),
  rules: link,
  users: link,
  /** Null for a role of everybody's. */
  organization: reference.nullable(),
}).meta({ id: "Role" });
export type Role = z.infer<typeof role>;
