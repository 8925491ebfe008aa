import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { killed } from "../../../../shared/contract/kill.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { stopFamily } from "../../changes/task.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayKill } from "../../rules.ts";
import { taskById } from "../../store/task.ts";
import { killedBy } from "./killed_by.ts";

// No permission on this line: who created the task may kill it without one.
export function killTask(app: Hono<AppEnv>, { db, outbox, kills, now }: TaskDeps): void {
  app.post(
    "/kill/task",
    allow(["user"]),
    body(killed),
    answers(said, { does: "Ends a task and its subtasks, on all nodes." }),
    async function killTask(c) {
      const principal = c.get("principal");
      const { id: taskId } = c.req.valid("json");
      const root = found(await taskById(db, taskId), "task", taskId);
      demand(mayKill(principal, root), `kill task ${taskId}`);
      const { ended, orders } = await outbox.change((change) =>
        stopFamily(change, root, { ...killedBy(principal), at: now() })
      );
      if (ended === 0) {
        throw new SextantError("invalid_request", `Task ${taskId} is finished already.`);
      }
      kills.tell(orders);
      c.get("log").info("Task killed", { task_id: taskId, results: ended });
      return c.json({
        msg: `Task ${taskId} is killed: ${ended} unfinished results of it and its subtasks.`,
      });
    },
  );
}
