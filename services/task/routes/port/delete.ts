import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { portDeletion } from "../../../../shared/contract/port.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { deletePorts as removePorts } from "../../store/port.ts";
import { demandOwnRun } from "./demand_own_run.ts";

export function deletePorts(app: Hono<AppEnv>, { db }: TaskDeps): void {
  app.delete(
    "/port",
    allow(["node"]),
    query(portDeletion),
    answers(said, { does: "A container takes back what its own run told of ports." }),
    async function deletePorts(c) {
      const { run_id } = c.req.valid("query");
      await demandOwnRun(db, c.get("principal"), run_id);
      await removePorts(db, run_id);
      return c.json({ msg: `Run ${run_id} offers no ports any more.` });
    },
  );
}
