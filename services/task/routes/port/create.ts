import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { newPort, port } from "../../../../shared/contract/port.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import type { TaskDeps } from "../../deps.ts";
import { showPort } from "../../show.ts";
import { insertPort } from "../../store/port.ts";
import { demandOwnRun } from "./demand_own_run.ts";

export function createPort(app: Hono<AppEnv>, { db, outbox }: TaskDeps): void {
  app.post(
    "/port",
    allow(["node"]),
    body(newPort),
    answers(port, {
      status: 201,
      does: "A container tells that the algorithm of its own run listens on a port.",
    }),
    idempotent(db),
    async function createPort(c) {
      const { port, run_id, label } = c.req.valid("json");
      await demandOwnRun(db, c.get("principal"), run_id);
      return await once(c, outbox, async ({ tx }) => {
        return c.json(showPort(await insertPort(tx, { result_id: run_id, port, label })), 201);
      });
    },
  );
}
