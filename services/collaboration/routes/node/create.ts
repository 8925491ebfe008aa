import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { madeNode, newNode } from "../../../../shared/contract/node.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import * as changes from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { organizationName } from "../../questions.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { showNode } from "../../show.ts";
import { collaborationById } from "../../store/collaboration.ts";

export function createNode(app: Hono<AppEnv>, { db, outbox, ask }: CollaborationDeps): void {
  app.post(
    "/node",
    allow(["user"], "node:CREATE"),
    body(newNode),
    answers(madeNode, { status: 201, does: "The API key in the answer is shown this once." }),
    idempotent(db),
    async function createNode(c) {
      const principal = c.get("principal");
      const { collaboration_id, ...given } = c.req.valid("json");
      const organization_id = given.organization_id ?? principal.organization_id;
      const collaboration = found(
        await collaborationById(db, collaboration_id),
        "collaboration",
        collaboration_id,
      );
      const organization = await organizationName(ask, organization_id);
      demand(
        mayNode(principal, "node:CREATE", { organization_id, collaboration_id }),
        `create a node for organization ${organization_id} in collaboration ${collaboration_id}`,
      );
      const name = given.name ?? `${organization} - ${collaboration.name} Node`;
      return await once(c, outbox, async (change) => {
        const values = { name, organization_id, collaboration_id };
        const { row, api_key } = await changes.createNode(change, values);
        return c.json({ ...showNode(row, []), api_key }, 201);
      });
    },
  );
}
