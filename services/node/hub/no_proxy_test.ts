import assert from "node:assert/strict";
import { isDirect, splitNoProxy } from "./no_proxy.ts";

function direct(url: string, ...noProxy: string[]): boolean {
  return isDirect(new URL(url), noProxy);
}

Deno.test("isDirect() takes a host with all below it, and nothing that only ends alike", () => {
  for (
    const entry of [
      "hospital.example",
      ".hospital.example",
      "*.hospital.example",
      "HOSPITAL.Example",
    ]
  ) {
    assert.ok(direct("https://hub.hospital.example/api", entry), entry);
    assert.ok(direct("wss://hospital.example", entry), entry);
    assert.ok(!direct("https://otherhospital.example", entry), entry);
    assert.ok(!direct("https://hospital.example.org", entry), entry);
  }
});

Deno.test("isDirect() heeds the port of an entry, the scheme's own too", () => {
  assert.ok(direct("https://hub.example", "hub.example:443"));
  assert.ok(direct("ws://hub.example:8080", "hub.example:8080"));
  assert.ok(!direct("http://hub.example", "hub.example:443"));
});

Deno.test("isDirect() takes addresses and ranges of them, for hosts that are addresses", () => {
  assert.ok(direct("https://10.1.2.3", "10.0.0.0/8"));
  assert.ok(direct("https://10.1.2.3", "10.1.2.3"));
  assert.ok(direct("https://[fd00::7]:8443", "fd00::/8"));
  assert.ok(direct("https://[fd00::7]", "[fd00::7]:443"));
  assert.ok(!direct("https://11.1.2.3", "10.0.0.0/8"));
  assert.ok(!direct("https://10.1.2.3", "10.0.0.0/33"));
  assert.ok(!direct("https://ten.example", "10.0.0.0/8"));
});

Deno.test("isDirect() never sends to a proxy what is meant for this machine, and everything past it at *", () => {
  for (const url of ["http://localhost:7601", "http://127.0.0.1", "ws://[::1]:9222"]) {
    assert.ok(direct(url), url);
  }
  assert.ok(!direct("https://hub.example"));
  assert.ok(direct("https://hub.example", "*"));
});

Deno.test("splitNoProxy() reads what stands in the variable", () => {
  assert.deepEqual(splitNoProxy(" a.example, .b.example 10.0.0.0/8,,"), [
    "a.example",
    ".b.example",
    "10.0.0.0/8",
  ]);
});
