import type { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { algorithmStore, newAlgorithmStore } from "../../../../shared/contract/algorithm_store.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { askerOf } from "../../../../shared/messages/questions.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import { createStoreClient, requireServerUrl, StoreRefusal } from "../../algorithm_store/client.ts";
import * as changes from "../../changes/algorithm_store.ts";
import { DUPLICATES } from "../../changes/duplicates.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { asStoreToken } from "../../questions.ts";
import { showAlgorithmStore } from "../../show.ts";
import { storesByUrl } from "../../store/algorithm_store.ts";
import { demandEdit, requirePlace } from "./require_store.ts";

export function linkStore(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  const { db, outbox, ask, serverUrl, stores = createStoreClient() } = deps;
  app.post(
    "/algorithmstore",
    allow(["user"], "collaboration:EDIT"),
    body(newAlgorithmStore),
    answers(algorithmStore, {
      status: 201,
      does: "Links a store of approved algorithms to a collaboration, or to all.",
    }),
    idempotent(db),
    async function linkStore(c) {
      const given = c.req.valid("json");
      const collaboration_id = given.collaboration_id ?? null;
      const url = given.algorithm_store_url.replace(/\/+$/, "");
      await requirePlace(db, collaboration_id);
      demandEdit(c.get("principal"), collaboration_id);
      const known = await storesByUrl(db, url);
      if (known.some((one) => one.collaboration_id === collaboration_id)) {
        throw new SextantError("conflict", DUPLICATES.algorithm_store_unique!);
      }
      const server = requireServerUrl(given.server_url ?? serverUrl);
      try {
        await stores.register({
          storeUrl: url,
          serverUrl: server,
          authorization: await asStoreToken(ask, askerOf(c.get("principal")), url),
          force: given.force ?? false,
        });
      } catch (error) {
        if (!(error instanceof StoreRefusal)) throw error;
        // The store's own status, as v6's API relays it.
        return c.json(
          { msg: error.message, code: "bad_gateway" },
          error.status as ContentfulStatusCode,
        );
      }
      return await once(c, outbox, async (change) => {
        const { name, force: forced = false } = given;
        const values = { name, url, collaboration_id, forced };
        const row = await changes.linkStore(change, values);
        return c.json(showAlgorithmStore(row), 201);
      });
    },
  );
}
