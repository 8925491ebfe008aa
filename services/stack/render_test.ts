import assert from "node:assert/strict";
import { createRenderer, parseLine } from "./render.ts";

const now = () => new Date(2026, 0, 2, 3, 4, 5);

Deno.test("parseLine() reads a service's JSON line", () => {
  const line = `{"time":"t","level":"warn","service":"task","message":"Late","result_id":7}`;
  assert.deepEqual(parseLine("json", line), {
    level: "warn",
    message: "Late",
    fields: { result_id: 7 },
  });
});

Deno.test("parseLine() shows what a service writes beside its log as a warning", () => {
  for (const line of ["error: Uncaught Error: boom", "{}", `{"level":"loud","message":"x"}`]) {
    assert.deepEqual(parseLine("json", line), { level: "warn", message: line, fields: {} });
  }
});

Deno.test("parseLine() keeps the servers' small talk for the debug level", () => {
  const nats = "[12] 2026/11/23 21:00:00.000000 [INF] Server is ready";
  assert.deepEqual(parseLine("nats", nats), {
    level: "debug",
    message: "Server is ready",
    fields: {},
  });
  assert.equal(parseLine("nats", nats.replace("INF", "ERR")).level, "error");
  assert.equal(parseLine("postgres", "LOG:  checkpoint complete").level, "debug");
  assert.equal(parseLine("postgres", "ERROR:  duplicate key value").level, "debug");
  assert.equal(parseLine("postgres", "PANIC:  disk full").level, "error");
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
