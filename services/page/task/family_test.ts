import assert from "node:assert/strict";
import { aRun, aTask, statusEvent } from "./examples.ts";
import { familyOf, firstFailure, foldFamily, heldRuns, isFamilyStale } from "./family.ts";
import { linesOf } from "./lines.ts";

/** Task 1 over organizations 1 and 2; that of organization 1 made task 3, which made task 4. */
function family() {
  return familyOf(aTask({ id: 1 }), {
    jobTasks: [
      aTask({ id: 1 }),
      aTask({ id: 4, parent: 3, by: 2 }),
      aTask({ id: 3, parent: 1, by: 1 }),
      aTask({ id: 2, parent: 99 }),
    ],
    jobRuns: [
      aRun({ id: 10, organization: 2 }),
      aRun({ id: 11, organization: 1 }),
      aRun({ id: 30, task: 3, organization: 2 }),
      aRun({ id: 40, task: 4, organization: 1 }),
      aRun({ id: 20, task: 2 }),
    ],
  });
}

Deno.test("a family is the task with its descendants, and nothing else of the job", () => {
  const { tasks, runs } = family();
  assert.deepEqual([...tasks.keys()], [1, 3, 4]);
  assert.deepEqual([...runs.keys()], [10, 11, 30, 40]);
});

Deno.test("the picture's lines have subtasks below the share that made them", () => {
  const lines = linesOf(family()).map((line) =>
    `${" ".repeat(line.depth)}${line.is} ${line.is === "run" ? line.run.id : line.task.id}`
  );
  assert.deepEqual(lines, ["run 11", " task 3", " run 30", "  task 4", "  run 40", "run 10"]);
});

Deno.test("the picture's lines lose no subtask whose maker has no share", () => {
  const lone = familyOf(aTask({ id: 1 }), {
    jobTasks: [aTask({ id: 5, parent: 1, by: 77 })],
    jobRuns: [aRun({ id: 50, task: 5 })],
  });
  assert.deepEqual(linesOf(lone).map((line) => line.is), ["task", "run"]);
});

Deno.test("a family moves with its events, and keeps what they do not concern", () => {
  const before = family();
  const after = foldFamily(before, [
    statusEvent({ result_id: 11, status: "active" }, "2026-01-01T00:00:05Z"),
    statusEvent({ result_id: 11, status: "completed" }, "2026-01-01T00:00:09Z"),
    statusEvent({ result_id: 11, status: "active" }, "2026-01-01T00:00:05Z"),
    statusEvent({ result_id: 77, task_id: 77, status: "failed" }),
  ]);
  const { status, started_at, finished_at } = after.runs.get(11)!;
  assert.deepEqual([status, started_at, finished_at], [
    "completed",
    "2026-01-01T00:00:05Z",
    "2026-01-01T00:00:09Z",
  ]);
  assert.equal(after.task.status, "active");
  assert.equal(after.tasks.get(1), after.task);
  assert.equal(after.runs.get(10), before.runs.get(10));
  assert.equal(foldFamily(after, [statusEvent({ result_id: 77, task_id: 77 })]), after);
});

Deno.test("a family remembers attempts that were given up, and results that wait", () => {
  const begun = foldFamily(family(), [statusEvent({ result_id: 11 }, "2026-01-01T00:00:05Z")]);
  const again = foldFamily(begun, [
    statusEvent({ result_id: 11, status: "pending", attempt: 2 }, "2026-01-01T00:00:20Z"),
  ]);
  assert.deepEqual(again.earlier.get(11), [
    { attempt: 1, startedAt: "2026-01-01T00:00:05Z", endedAt: "2026-01-01T00:00:20Z" },
  ]);
  assert.equal(again.runs.get(11)!.started_at, null);
  const held = foldFamily(again, [
    statusEvent({ result_id: 11, attempt: 2, held_since: "2026-01-01T00:00:30" }),
  ]);
  assert.deepEqual(heldRuns(held).map(({ id }) => id), [11]);
  const ended = foldFamily(held, [
    statusEvent({ result_id: 11, attempt: 2, status: "completed" }),
  ]);
  assert.deepEqual(heldRuns(ended), []);
});

Deno.test("the first failure is the one that the others followed from", () => {
  const finished_at = "2026-01-01T00:01:00";
  const runs = [
    aRun({ id: 1, status: "failed", finished_at, organization: 1 }),
    aRun({ id: 2, status: "crashed", finished_at, started_at: finished_at, organization: 2 }),
    aRun({ id: 3, status: "failed", finished_at: "2026-01-01T00:02:00", organization: 3 }),
    aRun({ id: 4, status: "killed by user", finished_at: "2026-01-01T00:00:01", organization: 4 }),
  ];
  const failed = familyOf(aTask({ id: 1 }), { jobTasks: [], jobRuns: runs });
  assert.equal(firstFailure(failed)!.id, 2);
  assert.equal(firstFailure(family()), undefined);
});

Deno.test("a family is asked for again for new subtasks and unknown shares alone", () => {
  const now = family();
  const created = (parent_id: number | null) => ({
    name: "task.created" as const,
    at: "2026-01-01T00:00:00Z",
    data: {
      task_id: 9,
      run_id: 1,
      parent_id,
      collaboration_id: 1,
      init_org_id: 1,
      init_user_id: 1,
    },
  });
  assert.equal(isFamilyStale(now, [created(3)]), true);
  assert.equal(isFamilyStale(now, [created(null), created(88)]), false);
  assert.equal(isFamilyStale(now, [statusEvent({ result_id: 77 })]), true);
  assert.equal(isFamilyStale(now, [statusEvent({ result_id: 10, status: "initializing" })]), false);
});
