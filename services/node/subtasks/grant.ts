/**
 * In whose name a run makes subtasks: the hub's token for one run, and what it grants. The
 * algorithm never sees it.
 * @module
 */
import { z } from "zod";
import {
  containerGrantSchema,
  containerTokenAnswer,
  type ContainerTokenRequest,
} from "../../../shared/node_protocol/container_grant.ts";
import type { Hub } from "../hub/hub.ts";
import { claimsOf } from "../hub/claims.ts";

/**
 * Where a run and its subtasks belong: the object `sub` of a container token. What later hubs say
 * besides is kept, for algorithms that read it.
 */
const grantSchema = containerGrantSchema.loose().extend({
  study_id: containerGrantSchema.shape.study_id.default(null),
  store_id: containerGrantSchema.shape.store_id.default(null),
});
export type Grant = z.infer<typeof grantSchema>;

/** The hub's token for a run, and what it grants. */
export interface Access {
  token: string;
  grant: Grant;
}

/** Asks the hub for a run's token, until it answers. Rejects with a `HubError` when it refuses. */
export async function askAccess(
  hub: Pick<Hub, "insist">,
  { task_id, image }: { task_id: number; image: string },
  signal: AbortSignal,
): Promise<Access> {
  const { container_token: token } = await hub.insist("/token/container", containerTokenAnswer, {
    method: "POST",
    body: { task_id, image } satisfies ContainerTokenRequest,
    signal,
  });
  return { token, grant: claimsOf(token, z.object({ sub: grantSchema })).sub };
}

/** The same, asked when it is first needed; once, unless that fails. */
export function askAccessOnce(...question: Parameters<typeof askAccess>): () => Promise<Access> {
  let asked: Promise<Access> | undefined;
  return function access() {
    asked ??= askAccess(...question).catch((error) => {
      asked = undefined;
      throw error;
    });
    return asked;
  };
}
