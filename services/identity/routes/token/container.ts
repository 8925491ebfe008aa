import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { signToken } from "../../../../shared/contract/tokens.ts";
import { body } from "../../../../shared/contract/validate.ts";
import {
  type ContainerTokenAnswer,
  containerTokenAnswer,
  containerTokenRequest,
} from "../../../../shared/node_protocol/container_grant.ts";
import type { IdentityDeps } from "../../deps.ts";

export function giveContainerToken(app: Hono<AppEnv>, { ask, keys, now }: IdentityDeps): void {
  app.post(
    "/token/container",
    allow(["node"]),
    body(containerTokenRequest),
    answers(containerTokenAnswer, {
      does: "The token with which the algorithm of a task that this node runs makes subtasks.",
    }),
    async function giveContainerToken(c) {
      const principal = c.get("principal");
      if (principal.kind !== "node") throw new TypeError("allow() lets nodes pass only");
      const { task_id, image } = c.req.valid("json");
      const node = {
        node_id: principal.id,
        organization_id: principal.organization_id,
        collaboration_id: principal.collaboration_id,
      };
      const { result_id, attempt, ...task } = await ask("task", "container", {
        task_id,
        image,
        ...node,
      });
      const container_token = await signToken(keys.current(), {
        jti: crypto.randomUUID(),
        type: "access",
        client_type: "container",
        sub: { client_type: "container", ...node, ...task, task_id, image },
        result_id,
        attempt,
        key_generation: principal.key_generation ?? 0,
      }, now());
      return c.json({ container_token } satisfies ContainerTokenAnswer);
    },
  );
}
