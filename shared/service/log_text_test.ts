import assert from "node:assert/strict";
import { createRenderer, readLogLine } from "./log_text.ts";

const now = () => new Date(2026, 0, 2, 3, 4, 5);

Deno.test("readLogLine() reads a service's JSON line", () => {
  const line = `{"time":"t","level":"warn","service":"task","message":"Late","result_id":7}`;
  assert.deepEqual(readLogLine(line), {
    level: "warn",
    message: "Late",
    fields: { result_id: 7 },
  });
});

Deno.test("readLogLine() shows what a service writes beside its log as a warning", () => {
  for (const line of ["error: Uncaught Error: boom", "{}", `{"level":"loud","message":"x"}`]) {
    assert.deepEqual(readLogLine(line), { level: "warn", message: line, fields: {} });
  }
});

Deno.test("createRenderer() writes time, part, message and fields without colour", () => {
  const render = createRenderer({ colour: false, now });
  assert.equal(
    render("task", { level: "info", message: "Dispatched", fields: { node: 3, why: "a b" } }),
    `03:04:05 task          Dispatched node=3 why="a b"`,
  );
  assert.equal(
    render("task", { level: "error", message: "Lost", fields: { error: { message: "gone" } } }),
    `03:04:05 task          error: Lost error="gone"`,
  );
});

Deno.test("createRenderer() gives each part its own colour and keeps it", () => {
  const render = createRenderer({ colour: true, now });
  const entry = { level: "info" as const, message: "x", fields: {} };
  const first = render("identity", entry);
  assert.notEqual(first, render("task", entry).replace("task    ", "identity"));
  assert.equal(first, render("identity", entry));
});

Deno.test("createRenderer() lets no control character of a message through", () => {
  const render = createRenderer({ colour: false, now });
  const line = render("task", { level: "info", message: "a\x1b[31mb\rc", fields: { k: "\x1b]" } });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(line, /[\x1b\r]/);
});
