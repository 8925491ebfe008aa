import { Hono } from "hono";
import { z } from "zod";
import { id } from "../../../../shared/contract/fields.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import {
  demand,
  mayCollaboration,
  type Principal,
  scopesOf,
} from "../../../../shared/contract/permissions.ts";
import type { NodeSummary } from "../../../../shared/messages/questions.ts";
import type { TaskDeps } from "../../deps.ts";
import { stopResults } from "../../changes/result.ts";
import { mayKill } from "../../rules.ts";
import { tasksOpenAtNode } from "../../store/result.ts";
import { lockFamily, lockTask, taskById } from "../../store/task.ts";

const killed = z.object({ id });
const STATUS = "killed by user";

function whoKilled(principal: Principal): string {
  return `Killed by user ${principal.id}.`;
}

function mayKillAtNode(principal: Principal, node: NodeSummary): boolean {
  return mayCollaboration(principal, "event:SEND", node.collaboration_id) ||
    (scopesOf(principal, "event:SEND").has("ORGANIZATION") &&
      node.organization_id === principal.organization_id);
}

export function killRoutes({ db, outbox, ask, kills, now }: TaskDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  // No permission on this line: who created the task may kill it without one.
  routes.post("/kill/task", allow(["user"]), body(killed), async function killTask(c) {
    const principal = c.get("principal");
    const { id: taskId } = c.req.valid("json");
    const root = found(await taskById(db, taskId), "task", taskId);
    demand(mayKill(principal, root), `kill task ${taskId}`);
    const { ended, orders } = await outbox.change(async (change) =>
      await stopResults(change, await lockFamily(change.tx, root), {
        status: STATUS,
        at: now(),
        reason: whoKilled(principal),
      })
    );
    if (ended === 0) {
      throw new SextantError("invalid_request", `Task ${taskId} is finished already.`);
    }
    kills.tell(orders);
    c.get("log").info("Task killed", { task_id: taskId, results: ended });
    return c.json({
      msg: `Task ${taskId} is killed: ${ended} unfinished results of it and its subtasks.`,
    });
  });

  routes.post(
    "/kill/node/tasks",
    allow(["user"], "event:SEND"),
    body(killed),
    async function killNodeTasks(c) {
      const principal = c.get("principal");
      const { id: nodeId } = c.req.valid("json");
      const node = found(
        await ask("collaboration", "node", { id: nodeId }) ?? undefined,
        "node",
        nodeId,
      );
      demand(mayKillAtNode(principal, node), `kill the tasks of node ${nodeId}`);
      if (node.status !== "online") {
        throw new SextantError("invalid_request", `Node ${nodeId} is not online.`);
      }
      let results = 0;
      for (const taskId of await tasksOpenAtNode(db, nodeId)) {
        const { ended, orders } = await outbox.change(async (change) => {
          const task = await lockTask(change.tx, taskId);
          if (!task) return { ended: 0, orders: [] };
          const end = { status: STATUS, at: now(), reason: whoKilled(principal) } as const;
          return await stopResults(change, [task], end, nodeId);
        });
        kills.tell(orders);
        results += ended;
      }
      c.get("log").info("Tasks of a node killed", { node_id: nodeId, results });
      return c.json({ msg: `${results} unfinished results at node ${nodeId} are killed.` });
    },
  );

  return routes;
}
