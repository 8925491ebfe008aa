import type { Hono } from "hono";
import {
  algorithmStore,
  algorithmStoreChanges,
} from "../../../../shared/contract/algorithm_store.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { updateStoreLink } from "../../changes/algorithm_store.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showAlgorithmStore } from "../../show.ts";
import { demandEdit, requirePlace, requireStore } from "./require_store.ts";

export function editStore(app: Hono<AppEnv>, { db, outbox }: CollaborationDeps): void {
  app.patch(
    "/algorithmstore/:id",
    allow(["user"], "collaboration:EDIT"),
    body(algorithmStoreChanges),
    answers(algorithmStore),
    async function editStore(c) {
      const principal = c.get("principal");
      const given = c.req.valid("json");
      const store = await requireStore(db, c.req.param("id"));
      demandEdit(principal, store.collaboration_id);
      if (given.collaboration_id !== undefined) {
        await requirePlace(db, given.collaboration_id);
        demandEdit(principal, given.collaboration_id);
      }
      const row = await outbox.change((change) => updateStoreLink(change, store.id, given));
      return c.json(showAlgorithmStore(row));
    },
  );
}
