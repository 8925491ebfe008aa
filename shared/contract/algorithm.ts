/**
 * Algorithms that may run at nodes, as the nodes tell of them, beyond v6's API: in v6 only
 * algorithm stores list any.
 * @module
 */
import { z } from "zod";
import { toldDescription } from "../node_protocol/description.ts";
import { queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { reference } from "./references.ts";

export const algorithmList = pageQuery.extend({
  collaboration_id: queryId.optional(),
  organization_id: queryId.optional(),
  study_id: queryId.optional(),
  name: text.optional(),
  image: text.optional(),
  digest: text.optional(),
});

export const algorithm = z.object({
  /** As tasks name it. */
  image: z.string(),
  /** Of the image; where that is an address, what the algorithm calls itself. */
  name: z.string().nullable(),
  version: z.string().nullable(),
  /** Of the file that runs under that name. */
  digest: z.string(),
  /** What it says of itself; null where it says nothing. */
  description: toldDescription.nullable(),
  /** Whether one of its nodes is. */
  online: z.boolean(),
  /** Where it may run: those that tell the same image, digest and description. */
  nodes: z.array(z.object({
    id: z.number().int(),
    name: z.string(),
    /** `online` or `offline`. */
    status: z.string(),
    organization: reference,
    collaboration: reference,
    /** What may be called there. */
    methods: z.array(z.string()),
  })),
}).meta({ id: "Algorithm" });
export type Algorithm = z.infer<typeof algorithm>;
