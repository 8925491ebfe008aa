import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { removeTask } from "../../changes/task.ts";
import type { TaskDeps } from "../../deps.ts";
import { requireTask } from "./require_task.ts";

export function deleteTask(app: Hono<AppEnv>, { db, outbox, kills, now }: TaskDeps): void {
  app.delete(
    "/task/:id",
    allow(["user"], "task:DELETE"),
    answers(said, { does: "Its runs and subtasks go too; what still runs is ended." }),
    async function deleteTask(c) {
      const id = c.req.param("id");
      const root = await requireTask(db, c.get("principal"), { id, permission: "task:DELETE" });
      const end = { at: now(), reason: "The task was deleted." };
      const { orders } = await outbox.change((change) => removeTask(change, root, end));
      kills.tell(orders);
      c.get("log").info("Task deleted", { task_id: root.id, killed: orders.length });
      return c.json({ msg: `Task ${root.id}, its results and all its subtasks are deleted.` });
    },
  );
}
