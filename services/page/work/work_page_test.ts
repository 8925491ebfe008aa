import assert from "node:assert/strict";
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import { aRun, aTask, statusEvent } from "../task/examples.ts";
import { readFilters } from "./filters.ts";
import { foldPage, isPageStale, type WorkPage } from "./work_page.ts";

const filters = (text = "") => readFilters(new URLSearchParams(text));

function pageOf(): WorkPage {
  const shares = [aRun({ id: 10, organization: 1 }), aRun({ id: 11, organization: 2 })].map((
    { id, status, attempt, organization },
  ) => ({ id, status, attempt, organization_id: organization.id, held_since: null }));
  return {
    tasks: [aTask({ id: 2, shares }), aTask({ id: 1, shares: [] })],
    pages: 1,
    total: 2,
    came: 0,
  };
}

function created(data: Partial<Extract<WatchedEvent, { name: "task.created" }>["data"]> = {}) {
  const ids = { task_id: 3, run_id: 3, parent_id: null, collaboration_id: 1 };
  return {
    name: "task.created",
    at: "2026-01-01T00:00:00Z",
    data: { ...ids, init_org_id: 1, init_user_id: 1, ...data },
  } as const;
}

Deno.test("the list's page moves the task that an event concerns, and leaves the others", () => {
  const page = pageOf();
  const event = statusEvent({
    result_id: 11,
    task_id: 2,
    status: "completed",
    task_status: "active",
  });
  const next = foldPage(page, [event], filters());
  assert.deepEqual(next.tasks[0]!.shares!.map((one) => one.status), ["pending", "completed"]);
  assert.equal(next.tasks[0]!.status, "active");
  assert.equal(next.tasks[1], page.tasks[1], "the same object");
  const elsewhere = statusEvent({ result_id: 99, task_id: 9 });
  assert.equal(foldPage(page, [elsewhere], filters()), page);
});

Deno.test("the list's page is not set back by an event of before the answer", () => {
  const done = statusEvent({
    result_id: 11,
    task_id: 2,
    status: "completed",
    task_status: "pending",
  });
  const page = foldPage(pageOf(), [done], filters());
  const late = statusEvent({ result_id: 11, task_id: 2, status: "active", task_status: "pending" });
  assert.equal(foldPage(page, [late], filters()), page);
});

Deno.test("the list's page drops deleted tasks and counts those that come", () => {
  const deleted = {
    name: "task.deleted",
    at: "2026-01-01T00:00:00Z",
    data: { task_id: 2, collaboration_id: 1, init_org_id: 1, init_user_id: 1 },
  } as const;
  const events = [deleted, created(), created({ parent_id: 1 }), created({ collaboration_id: 8 })];
  const next = foldPage(pageOf(), events, filters("collaboration=1"));
  assert.deepEqual(next.tasks.map(({ id }) => id), [1]);
  assert.equal(next.came, 1);
});

Deno.test("only the first page is asked for again when tasks come", () => {
  assert.equal(isPageStale([created()], filters()), true);
  assert.equal(isPageStale([created()], filters("page=2")), false);
  assert.equal(isPageStale([created({ parent_id: 1 })], filters()), false);
  assert.equal(isPageStale([created({ parent_id: 1 })], filters("subtasks=yes")), true);
  const moved = statusEvent({ result_id: 11, task_id: 2 });
  assert.equal(isPageStale([moved], filters()), false);
  assert.equal(isPageStale([moved], filters("status=failed")), true);
});
