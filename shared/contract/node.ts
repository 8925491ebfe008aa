/**
 * Nodes (contract §3.4): what clients send, and the Node they are shown.
 * @module
 */
import { z } from "zod";
import { id, name, nullAsAbsent, queryDate, queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { reference } from "./references.ts";

/** The caller's organization unless another is given; a name is made when none is. */
export const newNode = z.object({
  collaboration_id: id,
  organization_id: nullAsAbsent(id),
  name: nullAsAbsent(name),
});

/** Beyond v6's API: what a connected node shares of its configuration. */
const sharedConfig = z.array(z.object({
  key: text.pipe(z.string().min(1).max(128)),
  value: text.pipe(z.string().max(1024)),
})).max(1000);

export const nodeChanges = z.object({
  name: nullAsAbsent(name),
  config: nullAsAbsent(sharedConfig),
  ip: nullAsAbsent(z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address" })),
  clear_ip: nullAsAbsent(z.boolean()),
  organization_id: z.undefined({ error: "cannot be changed: make a new node instead" }).optional(),
  collaboration_id: z.undefined({ error: "cannot be changed: make a new node instead" }).optional(),
});

export const nodeKeyReset = z.object({ id });

export const nodeList = pageQuery.extend({
  name: text.optional(),
  status: text.optional(),
  ip: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  last_seen_from: queryDate.optional(),
  last_seen_till: queryDate.optional(),
});

export const node = z.object({
  id: z.number().int(),
  type: z.literal("node"),
  name: z.string(),
  ip: z.string().nullable(),
  /** `online` or `offline`. */
  status: z.string(),
  last_seen: z.string().nullable(),
  organization: reference,
  collaboration: reference,
  /** What a connected node shares of its configuration; it may give a key several times. */
  config: z.array(z.object({ key: z.string(), value: z.string() })),
}).meta({ id: "Node" });
export type Node = z.infer<typeof node>;

/** A node that was just made, with its API key: it cannot be read again. */
export const madeNode = node.extend({ api_key: z.string() }).meta({ id: "NewNode" });

export const nodeKey = z.object({ api_key: z.string() });

/** A node in the list of a collaboration's nodes. */
export const memberNode = node.pick({
  id: true,
  name: true,
  ip: true,
  status: true,
  last_seen: true,
  organization: true,
}).meta({ id: "MemberNode" });
export type MemberNode = z.infer<typeof memberNode>;
