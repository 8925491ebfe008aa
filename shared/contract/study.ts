/**
 * Studies (contract §3.3): what clients send, and the Study they are shown.
 * @module
 */
import { z } from "zod";
import { id, name, queryBoolean, queryId, queryInclude, text, uniqueIds } from "./fields.ts";
import { organization } from "./organization.ts";
import { pageQuery } from "./paging.ts";
import { link, reference } from "./references.ts";

const organizationIds = uniqueIds.min(1, "must name at least one organization");

export const newStudy = z.object({ name, collaboration_id: id, organization_ids: organizationIds });

/** A `collaboration_id` may come along; a study stays where it is. */
export const studyChanges = z.object({
  name: name.optional(),
  organization_ids: organizationIds.optional(),
  collaboration_id: id.optional(),
});

export const studyQuery = z.object({ include: queryInclude.optional() });
export const studyDeletion = z.object({ delete_dependents: queryBoolean.optional() });
export const studyList = pageQuery.extend({
  name: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  include: queryInclude.optional(),
});

export const study = z.object({
  id: z.number().int(),
  name: z.string(),
  collaboration: reference,
  /** The address of the list; with `include=organizations` the organizations themselves. */
  organizations: z.union([link, z.array(organization)]),
  tasks: link,
}).meta({ id: "Study" });
export type Study = z.infer<typeof study>;
