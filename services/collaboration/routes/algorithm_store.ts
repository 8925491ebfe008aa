import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { id, nullAsAbsent, queryId, text } from "../../../shared/contract/fields.ts";
import { listLink } from "../../../shared/contract/references.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { foreignKeyViolation, type Fragment, uniqueViolation } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  collaborationIds,
  demand,
  isMember,
  mayCollaboration,
  type Principal,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import { createStoreClient, requireServerUrl, StoreRefusal } from "../algorithm_store.ts";
import type { CollaborationDeps } from "../deps.ts";
import { mayViewStore } from "../rules.ts";
import {
  collaborationById,
  deleteStores,
  insertStore,
  storeById,
  storePage,
  type StoreRow,
  storesByUrl,
  updateStore,
} from "../store.ts";

const storeName = text.pipe(z.string().min(1).max(128));
const address = text.pipe(
  z.url({ protocol: /^https?$/, error: "must be an http(s) address" }).max(1024),
);
/** The field's client sends an array of one; `null` is all collaborations. */
const place = z.union([id, z.tuple([id]).transform(([only]) => only)]).nullable();

const newStore = z.object({
  name: storeName,
  algorithm_store_url: address,
  server_url: nullAsAbsent(address),
  collaboration_id: place.optional(),
  force: nullAsAbsent(z.boolean()),
});
const changes = z.object({ name: nullAsAbsent(storeName), collaboration_id: place.optional() });
const deleteQuery = z.object({ server_url: address.optional() });
const listQuery = pageQuery.extend({
  name: text.optional(),
  url: text.optional(),
  collaboration_id: queryId.optional(),
});

const SORTABLE = ["id", "name", "url"];

/** The contract's algorithm store (§3.13). */
export function showStore(row: StoreRow) {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    collaborations: row.collaboration_id === null
      ? null
      : listLink("collaboration", "algorithm_store_id", row.id),
  };
}

export function algorithmStoreRoutes(deps: CollaborationDeps): Hono<AppEnv> {
  const { db, outbox, log, serverUrl, stores = createStoreClient() } = deps;
  const routes = new Hono<AppEnv>();

  async function requireStore(given: string): Promise<StoreRow> {
    const storeId = pathId(given);
    return found(await storeById(db, storeId), "algorithm store", storeId);
  }

  async function requirePlace(collaborationId: number | null): Promise<void> {
    if (collaborationId === null) return;
    found(await collaborationById(db, collaborationId), "collaboration", collaborationId);
  }

  routes.get(
    "/algorithmstore",
    allow(["user"], "collaboration:VIEW"),
    query(listQuery),
    async function listStores(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const everywhere = widestScope(principal, "collaboration:VIEW") === "GLOBAL";
      if (!everywhere) {
        where.push(
          db`(collaboration_id is null or collaboration_id = any(${collaborationIds(principal)}))`,
        );
      }
      if (wanted.collaboration_id !== undefined) {
        const id = wanted.collaboration_id;
        await requirePlace(id);
        demand(everywhere || isMember(principal, id), `view the stores of collaboration ${id}`);
        where.push(db`(collaboration_id is null or collaboration_id = ${id})`);
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.url !== undefined) where.push(db`url like ${wanted.url} escape ''`);
      const { rows, total } = await storePage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, rows.map(showStore), total, wanted);
    },
  );

  routes.get(
    "/algorithmstore/:id",
    allow(["user", "node"], "collaboration:VIEW"),
    async function getStore(c) {
      const row = await requireStore(c.req.param("id"));
      demand(mayViewStore(c.get("principal"), row), `view algorithm store ${row.id}`);
      return c.json(showStore(row));
    },
  );

  routes.post(
    "/algorithmstore",
    allow(["user"], "collaboration:EDIT"),
    body(newStore),
    idempotent(db),
    async function linkStore(c) {
      const given = c.req.valid("json");
      const collaboration_id = given.collaboration_id ?? null;
      const url = given.algorithm_store_url.replace(/\/+$/, "");
      await requirePlace(collaboration_id);
      demandEdit(c.get("principal"), collaboration_id);
      const known = await storesByUrl(db, url);
      if (known.some((one) => one.collaboration_id === collaboration_id)) throw alreadyLinked();
      const server = requireServerUrl(given.server_url ?? serverUrl);
      try {
        await stores.register({
          storeUrl: url,
          serverUrl: server,
          authorization: c.req.header("authorization"),
          force: given.force ?? false,
        });
      } catch (error) {
        if (!(error instanceof StoreRefusal)) throw error;
        // The store's own status, as the field's API relays it.
        return c.json(
          { msg: error.message, code: "bad_gateway" },
          error.status as ContentfulStatusCode,
        );
      }
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          const row = await insertStore(tx, { name: given.name, url, collaboration_id });
          emit("algorithmstore.changed", { algorithmstore_id: row.id, collaboration_id });
          return c.json(showStore(row), 201);
        });
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.patch(
    "/algorithmstore/:id",
    allow(["user"], "collaboration:EDIT"),
    body(changes),
    async function editStore(c) {
      const principal = c.get("principal");
      const { name, collaboration_id } = c.req.valid("json");
      const store = await requireStore(c.req.param("id"));
      demandEdit(principal, store.collaboration_id);
      if (collaboration_id !== undefined) {
        await requirePlace(collaboration_id);
        demandEdit(principal, collaboration_id);
      }
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          const values = {
            ...(name === undefined ? {} : { name }),
            ...(collaboration_id === undefined ? {} : { collaboration_id }),
          };
          const row = found(await updateStore(tx, store.id, values), "algorithm store", store.id);
          emit("algorithmstore.changed", {
            algorithmstore_id: row.id,
            collaboration_id: row.collaboration_id,
          });
          return row;
        });
        return c.json(showStore(row));
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  // Removes every link to this store that the caller may remove. Links of others stay, and while there are any
  // the store goes on trusting this server.
  routes.delete(
    "/algorithmstore/:id",
    allow(["user"], "collaboration:EDIT"),
    query(deleteQuery),
    async function unlinkStore(c) {
      const principal = c.get("principal");
      const store = await requireStore(c.req.param("id"));
      demandEdit(principal, store.collaboration_id);
      const server = requireServerUrl(c.req.valid("query").server_url ?? serverUrl);
      const left = await outbox.change(async ({ tx, emit }) => {
        const links = await storesByUrl(tx, store.url);
        const own = links.filter(({ collaboration_id }) =>
          mayCollaboration(principal, "collaboration:EDIT", collaboration_id)
        );
        const gone = await deleteStores(tx, own.map((link) => link.id));
        for (const { id, collaboration_id } of gone) {
          emit("algorithmstore.deleted", { algorithmstore_id: id, collaboration_id });
        }
        return links.length - gone.length;
      });
      if (left > 0) return c.json({ msg: "The store was unlinked; others still use it." });
      try {
        await stores.unregister({
          storeUrl: store.url,
          serverUrl: server,
          authorization: c.req.header("authorization"),
          force: true, // it was judged when it was linked
        });
      } catch (error) {
        log.info("An algorithm store could not be told that it was unlinked", { error });
        return c.json({ msg: "The store was unlinked here, but could not be told." });
      }
      return c.json({ msg: "The store was unlinked." });
    },
  );

  return routes;
}

function demandEdit(principal: Principal, collaborationId: number | null): void {
  demand(
    mayCollaboration(principal, "collaboration:EDIT", collaborationId),
    collaborationId === null
      ? "edit the stores of all collaborations"
      : `edit the stores of collaboration ${collaborationId}`,
  );
}

function alreadyLinked(): SextantError {
  return new SextantError("conflict", "This algorithm store is linked there already.");
}

function asDuplicate(error: unknown): unknown {
  if (uniqueViolation(error) === "algorithm_store_unique") return alreadyLinked();
  if (foreignKeyViolation(error) === undefined) return error;
  return new SextantError("not_found", "The collaboration was deleted meanwhile.");
}
