/**
 * Links to algorithm stores (contract §3.13): what clients send, and the AlgorithmStore they are
 * shown.
 * @module
 */
import { z } from "zod";
import { id, nullAsAbsent, queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { link } from "./references.ts";

const storeName = text.pipe(z.string().min(1).max(128));
const address = text.pipe(
  z.url({ protocol: /^https?$/, error: "must be an http(s) address" }).max(1024),
);
/** v6's client sends an array of one; `null` is all collaborations. */
const place = z.union([id, z.tuple([id]).transform(([only]) => only)]).nullable();

export const newAlgorithmStore = z.object({
  name: storeName,
  algorithm_store_url: address,
  server_url: nullAsAbsent(address),
  collaboration_id: place.optional(),
  force: nullAsAbsent(z.boolean()),
});

export const algorithmStoreChanges = z.object({
  name: nullAsAbsent(storeName),
  collaboration_id: place.optional(),
});

export const algorithmStoreDeletion = z.object({ server_url: address.optional() });
export const algorithmStoreList = pageQuery.extend({
  name: text.optional(),
  url: text.optional(),
  collaboration_id: queryId.optional(),
});

export const algorithmStore = z.object({
  id: z.number().int(),
  name: z.string(),
  url: z.string(),
  /** `null` when the store serves all collaborations. */
  collaborations: link.nullable(),
}).meta({ id: "AlgorithmStore" });
export type AlgorithmStore = z.infer<typeof algorithmStore>;
