import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { run, runChanges } from "../../../../shared/contract/run.ts";
import { body, found, pathId } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { updateRun } from "../../changes/run.ts";
import type { TaskDeps } from "../../deps.ts";
import { isAtNode } from "../../rules.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";
import { showRuns } from "./show_runs.ts";

// How v6's own nodes report. Ours report to the broker, where the attempt counts as well.
export function editRun(app: Hono<AppEnv>, { db, outbox, ask, kills, now }: TaskDeps): void {
  app.patch(
    "/run/:id",
    allow(["node"]),
    body(runChanges),
    answers(run, { does: "For nodes of v6: reports the status and result of a run." }),
    async function editRun(c) {
      const principal = c.get("principal");
      const runId = pathId(c.req.param("id"));
      const row = found(await resultOfTaskById(db, runId, "result"), "run", runId);
      demand(isAtNode(principal, row), `change run ${runId}`);
      const options = { nodeId: principal.id, at: now() };
      const orders = await outbox.change((change) =>
        updateRun(change, row, c.req.valid("json"), options)
      );
      if (!orders) throw new SextantError("invalid_request", `Run ${runId} is finished already.`);
      kills.tell(orders);
      const shown = found(await resultOfTaskById(db, runId, "run"), "run", runId);
      return c.json((await showRuns({ db, ask }, [shown]))[0]);
    },
  );
}
