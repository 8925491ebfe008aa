import assert from "node:assert/strict";
import { createLogger } from "./log.ts";

function capture() {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger("x", { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}

Deno.test("createLogger() binds fields to every line", () => {
  const { log, lines } = capture();
  log.with({ request_id: "r1" }).info("Hello", { task_id: 3 });
  assert.equal(lines[0]!.request_id, "r1");
  assert.equal(lines[0]!.task_id, 3);
  assert.equal(lines[0]!.service, "x");
});

Deno.test("createLogger() never prints what a secret's name stands for, however deep", () => {
  const { log, lines } = capture();
  log.warn("Look", { password: "p", nested: { api_key: "k", refresh_token: "t", jwt: "j" } });
  assert.doesNotMatch(JSON.stringify(lines), /"[pktj]"/);
});

Deno.test("createLogger() shows an error with its cause", () => {
  const { log, lines } = capture();
  log.error("Failed", { error: new Error("outer", { cause: new Error("inner") }) });
  assert.match(JSON.stringify(lines), /outer.*inner/);
});

Deno.test("createLogger() leaves out what is below its level", () => {
  const { log, lines } = capture();
  log.debug("quiet");
  assert.equal(lines.length, 0);
});
