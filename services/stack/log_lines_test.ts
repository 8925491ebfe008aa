import assert from "node:assert/strict";
import { parseLine } from "./log_lines.ts";

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

Deno.test("parseLine() reads the lines of Patroni, etcd and Caddy", () => {
  const patroni = "2026-11-27 13:33:48,123 WARNING: Postgresql is not running.";
  assert.deepEqual(parseLine("patroni", patroni), {
    level: "warn",
    message: "Postgresql is not running.",
    fields: {},
  });
  const etcd = '{"level":"fatal","ts":1,"msg":"cannot serve","error":"address in use"}';
  assert.equal(parseLine("zap", etcd).message, "cannot serve: address in use");
  assert.equal(parseLine("zap", etcd).level, "warn");
  assert.equal(parseLine("zap", '{"level":"info","msg":"serving"}').level, "debug");
  assert.equal(parseLine("zap", "usage: etcd").message, "usage: etcd");
});
