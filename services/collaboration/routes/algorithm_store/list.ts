import type { Hono } from "hono";
import { algorithmStore, algorithmStoreList } from "../../../../shared/contract/algorithm_store.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import {
  collaborationIds,
  demand,
  isMember,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { Fragment } from "../../../../shared/storage/db.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showAlgorithmStore } from "../../show.ts";
import { storeRows } from "../../store/algorithm_store.ts";
import { requirePlace } from "./require_store.ts";

const SORTABLE = ["id", "name", "url"];

export function listStores(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/algorithmstore",
    allow(["user"], "collaboration:VIEW"),
    query(algorithmStoreList),
    answers(pageOf(algorithmStore)),
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
        await requirePlace(db, id);
        demand(everywhere || isMember(principal, id), `view the stores of collaboration ${id}`);
        where.push(db`(collaboration_id is null or collaboration_id = ${id})`);
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.url !== undefined) where.push(db`url like ${wanted.url} escape ''`);
      return await listAnswer(c, {
        wanted,
        source: storeRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => rows.map(showAlgorithmStore),
      });
    },
  );
}
