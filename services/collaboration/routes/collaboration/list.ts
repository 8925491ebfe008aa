import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaboration, collaborationList } from "../../../../shared/contract/collaboration.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import { collaborationIds, demand, widestScope } from "../../../../shared/contract/permissions.ts";
import { found, query } from "../../../../shared/contract/validate.ts";
import type { Fragment } from "../../../../shared/storage/db.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showCollaborations } from "../../show.ts";
import { storeById } from "../../store/algorithm_store.ts";
import { collaborationRows } from "../../store/collaboration.ts";

const SORTABLE = ["id", "name", "encrypted"];

export function listCollaborations(app: Hono<AppEnv>, { db, ask }: CollaborationDeps): void {
  app.get(
    "/collaboration",
    allow(["user", "node"], "collaboration:VIEW"),
    query(collaborationList),
    answers(pageOf(collaboration)),
    async function listCollaborations(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const everywhere = widestScope(principal, "collaboration:VIEW") === "GLOBAL";
      if (!everywhere) where.push(db`id = any(${collaborationIds(principal)})`);
      if (wanted.organization_id !== undefined) {
        demand(
          everywhere || wanted.organization_id === principal.organization_id,
          "view the collaborations of another organization",
        );
        where.push(
          db`id in (select collaboration_id from collaboration_member
                    where organization_id = ${wanted.organization_id})`,
        );
      }
      if (wanted.algorithm_store_id !== undefined) {
        const storeId = wanted.algorithm_store_id;
        const store = found(await storeById(db, storeId), "algorithm store", storeId);
        if (store.collaboration_id !== null) where.push(db`id = ${store.collaboration_id}`);
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.encrypted !== undefined) where.push(db`encrypted = ${wanted.encrypted}`);
      return await listAnswer(c, {
        wanted,
        source: collaborationRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => showCollaborations({ db, ask }, rows, wanted.include),
      });
    },
  );
}
