import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { killed } from "../../../../shared/contract/kill.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { stopAtNode } from "../../changes/task.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayKillAtNode } from "../../rules.ts";
import { tasksOpenAtNode } from "../../store/result.ts";
import { killedBy } from "./killed_by.ts";

export function killNodeTasks(
  app: Hono<AppEnv>,
  { db, outbox, ask, kills, now }: TaskDeps,
): void {
  app.post(
    "/kill/node/tasks",
    allow(["user"], "event:SEND"),
    body(killed),
    answers(said, { does: "Ends all that runs on a node." }),
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
        const { ended, orders } = await outbox.change((change) =>
          stopAtNode(change, { taskId, nodeId }, { ...killedBy(principal), at: now() })
        );
        kills.tell(orders);
        results += ended;
      }
      c.get("log").info("Tasks of a node killed", { node_id: nodeId, results });
      return c.json({ msg: `${results} unfinished results at node ${nodeId} are killed.` });
    },
  );
}
