import assert from "node:assert/strict";
import type { Principal } from "../../shared/contract/permissions.ts";
import { looksEncrypted, looksPlain, mayTask, taskStatus } from "./rules.ts";

Deno.test("taskStatus() shows a failure first, then what still runs", () => {
  assert.equal(taskStatus([]), "completed");
  assert.equal(taskStatus(["completed", "completed"]), "completed");
  assert.equal(taskStatus(["completed", "pending"]), "pending");
  assert.equal(taskStatus(["initializing", "pending"]), "initializing");
  assert.equal(taskStatus(["active", "pending", "initializing"]), "active");
  assert.equal(taskStatus(["active", "crashed"]), "crashed");
  assert.equal(taskStatus(["crashed", "crashed"]), "crashed");
  assert.equal(taskStatus(["crashed", "not allowed"]), "failed");
});

function user(rules: string[], kind: "user" | "node" = "user"): Principal {
  const base = {
    id: 7,
    organization_id: 2,
    rules,
    collaborations: [{ id: 1, organization_ids: [2, 3] }],
  };
  return kind === "user"
    ? { kind, username: "a", ...base }
    : { kind, collaboration_id: 1, ...base };
}

Deno.test("mayTask() looks at the task's own collaboration", () => {
  const task = { job_id: 4, collaboration_id: 9, init_org_id: 3, init_user_id: 8 };
  assert.equal(mayTask(user(["task:VIEW:COLLABORATION"]), "task:VIEW", task), false);
  assert.equal(mayTask(user(["task:VIEW:GLOBAL"]), "task:VIEW", task), true);
  const inside = { ...task, collaboration_id: 1 };
  assert.equal(mayTask(user(["task:VIEW:COLLABORATION"]), "task:VIEW", inside), true);
  assert.equal(mayTask(user(["task:VIEW:ORGANIZATION"]), "task:VIEW", inside), false);
});

Deno.test("mayTask() gives OWN to users only", () => {
  const task = { job_id: 4, collaboration_id: 1, init_org_id: 3, init_user_id: 7 };
  assert.equal(mayTask(user(["task:VIEW:OWN"]), "task:VIEW", task), true);
  assert.equal(mayTask(user(["task:VIEW:OWN"], "node"), "task:VIEW", task), false);
});

Deno.test("mayTask() tells a container of its own run alone", () => {
  const { organization_id, collaborations } = user([]);
  const container: Principal = {
    kind: "container",
    id: 7,
    organization_id,
    collaboration_id: 1,
    collaborations,
    rules: ["task:VIEW:COLLABORATION"],
    study_id: null,
    task_id: 5,
    job_id: 4,
    image: "i",
  };
  const task = { job_id: 4, collaboration_id: 1, init_org_id: 3, init_user_id: 8 };
  assert.equal(mayTask(container, "task:VIEW", task), true);
  assert.equal(mayTask(container, "task:VIEW", { ...task, job_id: 6 }), false);
});

Deno.test("looksPlain() and looksEncrypted() tell the two payload forms apart", () => {
  const plain = btoa('{"method": "avg"}');
  const encrypted = `${btoa("k".repeat(512))}$${btoa("i".repeat(16))}$${btoa("message")}`;
  assert.equal(looksPlain(plain), true);
  assert.equal(looksEncrypted(plain), false);
  assert.equal(looksPlain(encrypted), false);
  assert.equal(looksEncrypted(encrypted), true);
  assert.equal(looksPlain(btoa("\xff\xfe")), false);
  assert.equal(looksPlain("not base64!"), false);
  assert.equal(looksEncrypted(`${btoa("k")}$${btoa("short")}$${btoa("m")}`), false);
});

Deno.test("looksPlain() and looksEncrypted() take what is large, and base64 in its one form only", () => {
  const large = "QUJD".repeat(2 ** 22);
  assert.equal(looksPlain(large), true);
  assert.equal(looksPlain(`${large}QQ==`), true);
  assert.equal(looksPlain(`${large}\n`), false);
  assert.equal(looksEncrypted(`QUJD$${btoa("i".repeat(16))}$${large}`), true);
  for (const good of ["", "QQ==", "QUI=", "QUJD"]) assert.equal(looksPlain(good), true, good);
  const bad = [
    "Q",
    "QQ",
    "QUJ",
    "QQ=",
    "Q===",
    "====",
    "QQ==QUJD",
    "QU=I",
    "QUI =",
    "QU-_",
    "QUJDé===",
  ];
  for (const text of bad) assert.equal(looksPlain(text), false, text);
});
