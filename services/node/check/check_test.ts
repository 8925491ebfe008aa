import assert from "node:assert/strict";
import { explainTask } from "./check.ts";

const policy = {
  allowedAlgorithms: ["deno:average"],
  allowedStores: ["https://store.example/api"],
  eitherAlgorithmOrStore: true,
  allowedUsers: [12, "alice"],
  algorithms: [{ name: "v6/sum", methods: { partial: {} } }],
};

Deno.test("explainTask() judges users and stores by what the task names", () => {
  const explain = (task: object) => explainTask(task, policy);
  const image = "deno:average@1.0.0";
  assert.ok(explain({ image, user: { name: "alice" } }).allowed);
  assert.ok(explain({ image, user: { id: 12 } }).allowed);
  const { allowed, text } = explain({ image, user: { id: 13, name: "bob" } });
  assert.equal(allowed, false);
  assert.match(text, /user 13 \("bob"\) is not in policies\.allowed_users/);
  const other = { image: "v6/other:1", user: { id: 12 } };
  assert.match(explain(other).text, /it is not in .*, and it comes from no algorithm store/);
  const fromStore = explain({ ...other, store: "https://store.example/api" });
  assert.ok(fromStore.allowed);
  assert.match(fromStore.text, /provided that the store https:\/\/store\.example\/api tells/);
  // What is allowed by its name needs no store.
  const named = { image, user: { id: 12 }, store: "https://store.example/api" };
  assert.doesNotMatch(explain(named).text, /provided/);
  const sum = { image: "v6/sum:1", user: { id: 12 } };
  assert.equal(explain({ ...sum, method: "partial" }).text, "allowed");
  assert.match(explain({ ...sum, method: "dump" }).text, /methods partial/);
});

Deno.test("explainTask() says that conditions on rows are not allowed", () => {
  const task = { image: "deno:summary@1.0.0", method: "central", kwargs: { where: "age > 3" } };
  assert.ok(explainTask(task, {}).allowed);
  assert.match(explainTask(task, { allowWhere: false }).text, /policies\.allow_where is false/);
});

Deno.test("explainTask() says what it cannot read", () => {
  for (const task of [{}, { image: "x", user: { nmae: "alice" } }, { image: "x", user: "alice" }]) {
    assert.throws(() => explainTask(task, policy), /The task is not as --help shows it/);
  }
});
