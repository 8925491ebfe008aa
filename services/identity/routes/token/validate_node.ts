import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { validNode } from "../../../../shared/contract/token.ts";
import { found } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";

export function validateNode(app: Hono<AppEnv>, { ask }: IdentityDeps): void {
  app.post(
    "/token/node/validate",
    allow(["node"]),
    answers(validNode, {
      does: "Tells which node's token it is: for algorithm stores that were handed one of ours.",
    }),
    async function validateNode(c) {
      const { id } = c.get("principal");
      const node = found(await ask("collaboration", "node", { id }) ?? undefined, "node", id);
      return c.json({
        msg: "Token is valid",
        node_id: node.id,
        name: node.name,
        organization_id: node.organization_id,
      });
    },
  );
}
