import assert from "node:assert/strict";
import { MAX_LOG_PIECE } from "../../../shared/node_protocol/limits.ts";
import { NODE_PROTOCOL, REPORT_SCHEMAS } from "../../../shared/node_protocol/reports.ts";
import { waitFor } from "../../../tests/harness.ts";
import { reporterOf, useTaskHub } from "../../../tests/support/task_hub.ts";
import { createLogs, MAX_LOG } from "./logs.ts";
import { MAX_ATTEMPTS } from "../rules.ts";

const hub = useTaskHub();

async function oneRun(members = 1) {
  const place = await hub().place(members);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const node = place.members[0]!.node;
  const agent = reporterOf(hub(), node);
  const show = async () => (await hub().call(user, `GET /run/${runs[0].id}`)).body;
  return { place, user, task, run: runs[0], runs, node, agent, show };
}

Deno.test("a result ends once: later reports of the same attempt are refused", async () => {
  const { run, agent, show } = await oneRun();
  await agent.start(run.id);
  const answers = await Promise.all(Array.from({ length: 5 }, () => agent.finish(run.id)));
  assert.equal(answers.filter((one) => one.ok).length, 1);
  for (const answer of answers) if (!answer.ok) assert.equal(answer.reason, "finished");
  assert.deepEqual(await agent.start(run.id), { ok: false, reason: "finished" });
  assert.deepEqual(await agent.lost(run.id), { ok: false, reason: "finished" });
  assert.equal((await show()).status, "completed");
});

Deno.test("reports of another attempt, another agent or another node are refused", async () => {
  const { place, run, node, agent } = await oneRun(2);
  await agent.start(run.id);
  assert.deepEqual(await agent.finish(run.id, { attempt: 2 }), { ok: false, reason: "superseded" });
  const twin = reporterOf(hub(), node);
  assert.deepEqual(await twin.start(run.id), { ok: false, reason: "superseded" });
  assert.deepEqual(await twin.finish(run.id), { ok: false, reason: "superseded" });
  const stranger = reporterOf(hub(), place.members[1]!.node);
  assert.deepEqual(await stranger.finish(run.id), { ok: false, reason: "unknown" });
  assert.deepEqual(await agent.finish(run.id), { ok: true });
});

Deno.test("a lost attempt is followed by the next one, until there were too many", async () => {
  const { run, agent, show } = await oneRun();
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
    await agent.start(run.id, attempt);
    const answer = await agent.lost(run.id, attempt);
    assert.deepEqual(answer, { ok: true, next_attempt: attempt + 1 });
    assert.equal((await show()).status, "pending");
    assert.deepEqual(await agent.finish(run.id, { attempt }), { ok: false, reason: "superseded" });
  }
  await agent.start(run.id, MAX_ATTEMPTS);
  assert.deepEqual(await agent.lost(run.id, MAX_ATTEMPTS), { ok: true, next_attempt: null });
  const ended = await show();
  assert.equal(ended.status, "failed");
  assert.match(ended.log, /attempt 1 was lost: the machine lost power/);
  assert.match(ended.log, /Given up after 3 attempts/);
});

Deno.test("a hello that does not name started work makes it the next attempt, once", async () => {
  const { run, agent, show } = await oneRun();
  await agent.hello();
  await agent.start(run.id);
  await agent.hello([{ result_id: run.id, attempt: 1, state: "started" }]);
  assert.equal((await show()).attempt, 1);
  await Promise.all([agent.hello(), agent.hello()]);
  assert.equal((await show()).attempt, 2);
  const { drop } = await agent.hello([{ result_id: run.id, attempt: 1, state: "started" }]);
  assert.deepEqual(drop, [{ result_id: run.id, attempt: 1, reason: "superseded" }]);
});

Deno.test("a late copy of a hello changes nothing, whichever agent's it is", async () => {
  const { run, node, agent, show } = await oneRun();
  const { hello } = hub().deps.reports;
  const first = { agent_id: agent.agent_id, protocol: NODE_PROTOCOL, after: 0, open: [] };
  assert.deepEqual(await hello(node, first), { ok: true, drop: [] });
  await agent.start(run.id);
  assert.deepEqual(await hello(node, first), { ok: false, hellos: 1 });
  const stranger = { ...first, agent_id: crypto.randomUUID() };
  assert.deepEqual(await hello(node, stranger), { ok: false, hellos: 1 });
  const { attempt, status } = await show();
  assert.deepEqual({ attempt, status }, { attempt: 1, status: "active" });
  // Of two copies at once, one counts.
  const open = [{ result_id: run.id, attempt: 1, state: "started" as const }];
  const next = { ...first, after: 1, open };
  const answers = await Promise.all([hello(node, next), hello(node, next), hello(node, next)]);
  assert.deepEqual(answers.filter((one) => one.ok), [{ ok: true, drop: [] }]);
  assert.deepEqual(await hello(node, next), { ok: false, hellos: 2 });
  assert.equal((await agent.finish(run.id)).ok, true);
});

Deno.test("an agent with a new journal is given again what its predecessor had not begun", async () => {
  const { run, node, agent, show } = await oneRun();
  const open = [{ result_id: run.id, attempt: 1, state: "accepted" as const }];
  const given = async () => (await agent.work()).results.map((one) => one.result_id);
  await agent.hello();
  assert.deepEqual(await given(), [run.id]);
  await agent.accepted(run.id);
  assert.deepEqual(await given(), []);
  await agent.hello(open);
  assert.deepEqual(await given(), []);
  const fresh = reporterOf(hub(), node);
  await fresh.hello();
  assert.deepEqual(await given(), [run.id]);
  assert.equal((await show()).attempt, 1);
  assert.equal((await fresh.start(run.id)).ok, true);
});

Deno.test("two shares that fail at once end each other's siblings without a deadlock", async () => {
  for (let round = 0; round < 5; round++) {
    const { place, runs, user, task } = await oneRun(6);
    await Promise.all(
      runs.map((run: { id: number }, n: number) =>
        reporterOf(hub(), place.members[n]!.node).finish(run.id, {
          status: "not allowed",
          result: null,
          log: null,
          reason: "policy",
        })
      ),
    );
    const after = (await hub().call(user, `GET /task/${task.id}`)).body;
    assert.equal(after.complete, true);
  }
});

Deno.test("the last of several concurrent ends tells that the task is completed", async () => {
  const { place, runs, task } = await oneRun(5);
  const told: string[] = [];
  const { nc } = await hub().nats.service("gateway");
  nc.subscribe("event.result.status", {
    callback(_, message) {
      const { data } = message.json<{ data: { task_id: number; task_status: string } }>();
      if (data.task_id === task.id) told.push(data.task_status);
    },
  });
  await nc.flush();
  const agents = place.members.map((one) => reporterOf(hub(), one.node));
  await Promise.all(agents.map((one, n) => one.start(runs[n].id)));
  await Promise.all(agents.map((one, n) => one.finish(runs[n].id)));
  // One event for each start and each end.
  await waitFor(() => told.length >= 10, { what: "all events of the task" });
  assert.equal(told.filter((status) => status === "completed").length, 1);
});

Deno.test("log lines of the running attempt are kept, each once, and become whole with the report", async () => {
  const { run, node, agent, show, place } = await oneRun(2);
  const logs = createLogs(hub().deps.outbox);
  const piece = (seq: number, ...lines: string[]) => ({ attempt: 1, seq, lines });
  await logs.append(node, run.id, piece(0, "too early"));
  assert.equal((await show()).log, null);
  await agent.start(run.id);
  await logs.append(node, run.id, piece(0, "one"));
  await logs.append(node, run.id, piece(0, "one"));
  await logs.append(node, run.id, piece(2, "four"));
  await logs.append(node, run.id, piece(1, "two", "three\0"));
  await logs.append(place.members[1]!.node, run.id, piece(3, "forged"));
  await logs.append(node, run.id, { attempt: 2, seq: 3, lines: ["forged"] });
  assert.equal((await show()).log, "one\ntwo\nthree\uFFFD\nfour");
  await agent.finish(run.id, { log: "one\ntwo\nthree\nfour\nfive" });
  assert.equal((await show()).log, "one\ntwo\nthree\nfour\nfive");
  await logs.append(node, run.id, piece(9, "too late"));
  assert.equal((await show()).log, "one\ntwo\nthree\nfour\nfive");
});

Deno.test("a report without a log leaves what had been sent, and the reason follows", async () => {
  const { run, node, agent, show } = await oneRun();
  await agent.start(run.id);
  await createLogs(hub().deps.outbox).append(node, run.id, { attempt: 1, seq: 0, lines: ["hi"] });
  await agent.finish(run.id, {
    status: "crashed",
    result: null,
    log: null,
    reason: "out of memory",
  });
  assert.equal((await show()).log, "hi\nout of memory");
});

Deno.test("the log of a running result is capped", async () => {
  const { run, node, agent, show } = await oneRun();
  await agent.start(run.id);
  const logs = createLogs(hub().deps.outbox);
  const lines = Array.from({ length: 60 }, () => "x".repeat(3999));
  for (let seq = 0; seq < 8; seq++) await logs.append(node, run.id, { attempt: 1, seq, lines });
  const { log } = await show();
  assert.ok(log.length < MAX_LOG + 200);
  assert.match(log, /the log is full/);
});

Deno.test("a piece of a log is bounded by its size in a message", async () => {
  const { run, node, agent, show } = await oneRun();
  await agent.start(run.id);
  const lines = Array.from({ length: 100 }, () => "\u0001".repeat(3999));
  await createLogs(hub().deps.outbox).append(node, run.id, { attempt: 1, seq: 0, lines });
  await waitFor(async () => await hub().deps.outbox.backlog() === 0, { what: "the outbox" });
  const kept = (await show()).log.split("\n");
  assert.equal(kept.length, Math.floor(MAX_LOG_PIECE / (6 * 3999 + 3)));
  assert.ok(kept.every((line: string) => line.length === 3999));
});

Deno.test("a share that waits for its next attempt keeps its log when a sibling's failure ends it", async () => {
  const { place, runs, node, agent, show } = await oneRun(2);
  const [run] = runs;
  await agent.start(run.id);
  await createLogs(hub().deps.outbox).append(node, run.id, { attempt: 1, seq: 0, lines: ["hi"] });
  await agent.lost(run.id);
  const other = reporterOf(hub(), place.members[1]!.node);
  await other.finish(runs[1].id, { status: "crashed" });
  const { status, log } = await show();
  assert.equal(status, "failed");
  assert.match(log, /^hi\n\[attempt 1 was lost: .*\]\nNot run: .* ended as "crashed"\.$/);
  const left = await hub().db`select 1 from result_log where result_id = ${run.id}`;
  assert.equal(left.length, 0);
});

Deno.test("a task that keeps going loses none of its parts with the first that fails", async () => {
  for (const keep_going of [true, false]) {
    const place = await hub().place(3);
    const user = await hub().user(place);
    const task = await hub().post(user, place, { keep_going });
    const list = async () =>
      (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
    const [first, second] = await list();
    await reporterOf(hub(), place.members[0]!.node).finish(first.id, { status: "not allowed" });
    const statuses = (await list()).map((run: { status: string }) => run.status);
    const others = keep_going ? "pending" : "failed";
    assert.deepEqual(statuses, ["not allowed", others, others]);
    const agent = reporterOf(hub(), place.members[1]!.node);
    assert.equal((await agent.start(second.id)).ok, keep_going);
    if (keep_going) assert.deepEqual(await agent.finish(second.id), { ok: true });
  }
});

Deno.test("a share that was lost is not begun again once another one has failed, unless the task keeps going", async () => {
  for (const keep_going of [true, false]) {
    const place = await hub().place(2);
    const user = await hub().user(place);
    const task = await hub().post(user, place, { keep_going });
    const list = async () =>
      (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
    const [first, second] = await list();
    const agent = reporterOf(hub(), place.members[1]!.node);
    await agent.start(second.id);
    await reporterOf(hub(), place.members[0]!.node).finish(first.id, { status: "crashed" });
    await agent.hello();
    const [, after] = await list();
    assert.deepEqual(
      [after.status, after.attempt],
      keep_going ? ["pending", 2] : ["failed", 1],
    );
    if (!keep_going) assert.match(after.log, /Not run again: .* another share .* "crashed"/);
  }
});

Deno.test("the hello of an agent of the version before is refused, with what to do; its results are taken", async () => {
  const { run, node, agent } = await oneRun();
  await agent.start(run.id);
  const hello = { agent_id: agent.agent_id, protocol: 1, after: 0, open: [] };
  await assert.rejects(hub().deps.reports.hello(node, hello), {
    code: "invalid_request",
    message: /update the agent to version \d+\.\d+/,
  });
  const { after, agent_id, open } = hello;
  assert.equal(REPORT_SCHEMAS.hello.parse({ after, agent_id, open }).protocol, 1);
  assert.deepEqual(await agent.finish(run.id), { ok: true });
});
