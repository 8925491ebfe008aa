import type { Hono } from "hono";
import { algorithmStoreDeletion } from "../../../../shared/contract/algorithm_store.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { askerOf } from "../../../../shared/messages/questions.ts";
import { createStoreClient, requireServerUrl } from "../../algorithm_store/client.ts";
import { unlinkStores } from "../../changes/algorithm_store.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { asStoreToken } from "../../questions.ts";
import { demandEdit, requireStore } from "./require_store.ts";

export function unlinkStore(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  const { db, outbox, ask, log, serverUrl, stores = createStoreClient() } = deps;
  // Removes every link to this store that the caller may remove. Links of others stay, and while
  // there are any the store goes on trusting this server.
  app.delete(
    "/algorithmstore/:id",
    allow(["user"], "collaboration:EDIT"),
    query(algorithmStoreDeletion),
    answers(said, { does: "The store itself stays as it is." }),
    async function unlinkStore(c) {
      const principal = c.get("principal");
      const store = await requireStore(db, c.req.param("id"));
      demandEdit(principal, store.collaboration_id);
      const server = requireServerUrl(c.req.valid("query").server_url ?? serverUrl);
      const left = await outbox.change((change) =>
        unlinkStores(
          change,
          store.url,
          (link) => mayCollaboration(principal, "collaboration:EDIT", link.collaboration_id),
        )
      );
      if (left > 0) return c.json({ msg: "The store was unlinked; others still use it." });
      try {
        await stores.unregister({
          storeUrl: store.url,
          serverUrl: server,
          authorization: await asStoreToken(ask, askerOf(principal), store.url),
          force: store.forced,
        });
      } catch (error) {
        log.info("An algorithm store could not be told that it was unlinked", { error });
        return c.json({ msg: "The store was unlinked here, but could not be told." });
      }
      return c.json({ msg: "The store was unlinked." });
    },
  );
}
