/**
 * Collaborations (contract §3.2): what clients send, and the Collaboration they are shown.
 * @module
 */
import { z } from "zod";
import { id, name, queryBoolean, queryId, queryInclude, text, uniqueIds } from "./fields.ts";
import { organization } from "./organization.ts";
import { pageQuery } from "./paging.ts";
import { link } from "./references.ts";

const organizationIds = uniqueIds.min(1, "must name at least one organization");

export const newCollaboration = z.object({
  name,
  organization_ids: organizationIds,
  encrypted: z.boolean(),
});

export const collaborationChanges = z.object({
  name: name.optional(),
  encrypted: z.boolean().optional(),
  organization_ids: organizationIds.optional(),
});

/** The organization or node that is put into a collaboration or taken out of it. */
export const collaborationPart = z.object({ id });

export const collaborationQuery = z.object({ include: queryInclude.optional() });
export const collaborationDeletion = z.object({ delete_dependents: queryBoolean.optional() });
export const collaborationList = pageQuery.extend({
  name: text.optional(),
  encrypted: queryBoolean.optional(),
  organization_id: queryId.optional(),
  algorithm_store_id: queryId.optional(),
  include: queryInclude.optional(),
});

export const collaboration = z.object({
  id: z.number().int(),
  name: z.string(),
  encrypted: z.boolean(),
  /** The address of the list; with `include=organizations` the organizations themselves. */
  organizations: z.union([link, z.array(organization)]),
  nodes: link,
  tasks: link,
  studies: link,
  algorithm_stores: link,
}).meta({ id: "Collaboration" });
export type Collaboration = z.infer<typeof collaboration>;
