import type { Hono } from "hono";
import { algorithmStore } from "../../../../shared/contract/algorithm_store.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayViewStore } from "../../rules.ts";
import { showAlgorithmStore } from "../../show.ts";
import { requireStore } from "./require_store.ts";

export function getStore(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/algorithmstore/:id",
    allow(["user", "node"], "collaboration:VIEW"),
    answers(algorithmStore),
    async function getStore(c) {
      const row = await requireStore(db, c.req.param("id"));
      demand(mayViewStore(c.get("principal"), row), `view algorithm store ${row.id}`);
      return c.json(showAlgorithmStore(row));
    },
  );
}
