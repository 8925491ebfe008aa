import type { Hono } from "hono";
import { algorithm, algorithmList } from "../../../../shared/contract/algorithm.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import { found, query } from "../../../../shared/contract/validate.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showAlgorithms } from "../../show_algorithm.ts";
import { algorithmRows, toldOf } from "../../store/algorithm.ts";
import { collaborationById } from "../../store/collaboration.ts";
import { nodesInReach } from "../node/reach.ts";

const SORTABLE = ["name", "version", "image", "digest"];
/** Makes any order certain. */
const LAST = ["image", "digest", "description_sha256"].map((column) => ({
  column,
  descending: false,
}));

export function listAlgorithms(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/algorithm",
    allow(["user", "node"], "node:VIEW"),
    query(algorithmList),
    answers(pageOf(algorithm), {
      does: "What may run at the nodes that the caller may see, as these nodes tell.",
    }),
    async function listAlgorithms(c) {
      const wanted = c.req.valid("query");
      const where = await nodesInReach(db, c.get("principal"), wanted);
      const { collaboration_id } = wanted;
      if (collaboration_id !== undefined) {
        found(await collaborationById(db, collaboration_id), "collaboration", collaboration_id);
      }
      if (wanted.name !== undefined) where.push(db`told.name like ${wanted.name} escape ''`);
      if (wanted.image !== undefined) where.push(db`image = ${wanted.image}`);
      if (wanted.digest !== undefined) where.push(db`digest = ${wanted.digest}`);
      const sorted = parseSort(wanted.sort, SORTABLE, { column: "name", descending: false });
      return await listAnswer(c, {
        wanted,
        source: algorithmRows(db),
        request: { where, order: [...sorted, ...LAST] },
        show: async (rows) => showAlgorithms(rows, await toldOf(db, rows, where)),
      });
    },
  );
}
