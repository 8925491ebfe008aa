/**
 * The token of an algorithm's container, which the node asks of `POST /token/container`, and what
 * it grants: to make subtasks of one task, in one organization's name. v6's words (HTTP contract
 * §2.5).
 * @module
 */
import { z } from "zod";
import { id as bodyId, text } from "../contract/fields.ts";

const id = z.number().int();

/** What the node asks with. */
export const containerTokenRequest = z.object({
  task_id: bodyId,
  image: text.pipe(z.string().min(1)),
});
export type ContainerTokenRequest = z.input<typeof containerTokenRequest>;

/** What identity answers: a JWT whose claim `sub` is a {@linkcode ContainerGrant}. */
export const containerTokenAnswer = z.object({ container_token: z.string() });
export type ContainerTokenAnswer = z.infer<typeof containerTokenAnswer>;

/** Where a run and its subtasks belong. */
export const containerGrantSchema = z.object({
  node_id: id,
  organization_id: id,
  collaboration_id: id,
  study_id: id.nullable(),
  store_id: id.nullable(),
  task_id: id,
  image: z.string(),
  /** Flat, as containers read them: the label and the parameters. */
  databases: z.array(z.record(z.string(), z.unknown())),
});
export type ContainerGrant = z.infer<typeof containerGrantSchema>;
