import { Hono } from "hono";
import { z } from "zod";
import { id, integer, queryId, text } from "../../../../shared/contract/fields.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { body, query } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import { demand, type Principal } from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { isAtNode } from "../../rules.ts";
import { showPort } from "../../show.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";
import { deletePorts, insertPort } from "../../store/port.ts";

const newPort = z.object({
  port: integer.pipe(z.number().min(1).max(65535)),
  run_id: id,
  label: text.pipe(z.string().max(128)).nullish().transform((label) => label ?? null),
});

export function portRoutes({ db, outbox }: TaskDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  /** Only the node that executes a run may say which ports it offers; others do not learn whether there is one. */
  async function demandOwn(principal: Principal, runId: number): Promise<void> {
    const row = await resultOfTaskById(db, runId, "result");
    demand(row !== undefined && isAtNode(principal, row), `change the ports of run ${runId}`);
  }

  routes.post(
    "/port",
    allow(["node"]),
    body(newPort),
    idempotent(db),
    async function createPort(c) {
      const { port, run_id, label } = c.req.valid("json");
      await demandOwn(c.get("principal"), run_id);
      return await once(c, outbox, async ({ tx }) => {
        return c.json(showPort(await insertPort(tx, { result_id: run_id, port, label })), 201);
      });
    },
  );

  routes.delete(
    "/port",
    allow(["node"]),
    query(z.object({ run_id: queryId })),
    async function removePorts(c) {
      const { run_id } = c.req.valid("query");
      await demandOwn(c.get("principal"), run_id);
      await deletePorts(db, run_id);
      return c.json({ msg: `Run ${run_id} offers no ports any more.` });
    },
  );

  return routes;
}
