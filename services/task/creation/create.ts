/**
 * How a request makes a task, for `POST /task` and `POST /column`: looked at from all sides, then
 * stored and dispatched.
 * @module
 */
import type { Context } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { NewTask } from "../../../shared/contract/task.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { callerOf, once } from "../../../shared/storage/idempotency.ts";
import { traceparent } from "../../../shared/tracing/tracer.ts";
import { createTask, type NewTaskOptions } from "../changes/task.ts";
import type { TaskDeps } from "../deps.ts";
import { showTask } from "../show.ts";
import { checkInput, checkSize } from "./input.ts";
import { type Origin, originOf } from "./origin.ts";
import { type Scope, scopeOf } from "./scope.ts";

/** Creates a task and answers with it; refuses in the contract's order (§3.7). */
export async function createAndShow(
  deps: TaskDeps,
  c: Context<AppEnv>,
  given: NewTask,
): Promise<Response> {
  const principal = c.get("principal");
  limitSubtasks(deps, c);
  checkSize(given);
  const scope = await scopeOf(deps.ask, given);
  const { collaboration } = scope;
  const deadline_at = deadlineOf(given, deps.now());
  const origin = await originOf(deps, { principal, given, collaboration });
  for (const one of given.organizations) {
    await checkInput(deps, one, { principal, encrypted: collaboration.encrypted });
  }
  return await once(c, deps.outbox, async (change) => {
    const options = {
      ...optionsOf({ principal, given, scope, origin, deadline_at }),
      maxSubtasks: deps.settings.maxSubtasks,
    };
    const { task, databases, progress } = await createTask(change, options);
    c.get("log").info("Task created", { task_id: task.id, run_id: task.job_id });
    return c.json(showTask(task, databases, progress), 201);
  });
}

/** Refuses (429) more subtasks than the runs of one node may make; the node tries again. */
function limitSubtasks({ subtaskRate }: Pick<TaskDeps, "subtaskRate">, c: Context<AppEnv>): void {
  const principal = c.get("principal");
  if (principal.kind !== "container") return;
  const wait = subtaskRate.take(String(principal.id));
  if (wait === 0) return;
  c.header("retry-after", String(wait));
  throw new SextantError(
    "too_many_requests",
    `The runs at this node make too many subtasks; the next may be made in ${wait} seconds.`,
  );
}

function deadlineOf({ timeout_seconds }: NewTask, now: Date): Date | null {
  return timeout_seconds === undefined ? null : new Date(now.getTime() + timeout_seconds * 1000);
}

function optionsOf({ principal, given, scope, origin, deadline_at }: {
  principal: Principal;
  given: NewTask;
  scope: Scope;
  origin: Origin;
  deadline_at: Date | null;
}): NewTaskOptions {
  const trace = traceparent();
  return {
    values: {
      ...origin,
      name: given.name ?? "",
      description: given.description ?? "",
      collaboration_id: scope.collaboration.id,
      study_id: given.study_id ?? null,
      timeout_seconds: given.timeout_seconds ?? null,
      keep_going: given.keep_going ?? false,
      deadline_at,
      ...(trace === undefined ? {} : { traceparent: trace }),
    },
    databases: (given.databases ?? []).map(({ label, ...parameters }) => ({
      label,
      parameters: JSON.stringify(parameters),
    })),
    shares: given.organizations.map(({ id, input }) => ({
      organization_id: id,
      node_id: scope.nodeOf.get(id)!,
      input,
    })),
    // A node uploads for the containers it runs.
    blobOwners: [
      callerOf(principal),
      ...(principal.kind === "container" ? [`node:${principal.id}`] : []),
    ],
    parentAttempt: given.parent_attempt,
  };
}
