import assert from "node:assert/strict";
import { judge, type JudgeOptions } from "./whitelist.ts";

const NAMES: Record<string, string[]> = {
  "files.example": ["198.51.100.7"],
  "deep.lab.example": ["2001:db8::7"],
  "lab.example": ["198.51.100.8"],
  "sly.lab.example": ["127.0.0.1"],
  "mapped.lab.example": ["::ffff:127.0.0.1"],
  "mine.lab.example": ["192.0.2.1"],
  "cloud.lab.example": ["169.254.169.254"],
  "zero.lab.example": ["0.0.0.0"],
  "both.lab.example": ["127.0.0.1", "198.51.100.9"],
  "inside.lab.example": ["10.1.2.3"],
  "none.lab.example": [],
};

async function ask(host: string, port = 443, whitelist: Partial<JudgeOptions["whitelist"]> = {}) {
  const resolved: string[] = [];
  const verdict = await judge(host, port, {
    whitelist: {
      domains: ["files.example", ".lab.example"],
      ips: ["203.0.113.5", "10.0.0.0/8", "2001:db8::1"],
      ports: [80, 443],
      ...whitelist,
    },
    resolve(name) {
      resolved.push(name);
      return Promise.resolve(NAMES[name]!);
    },
    own: () => ["127.0.0.1", "192.0.2.1", "fe80::1%eth0"],
    isProxied: () => false,
  });
  return { resolved, says: "address" in verdict ? verdict.address : `no: ${verdict.refused}` };
}

Deno.test("judge() takes exact domains, suffixes, addresses and ranges, and their ports alone", async () => {
  const allowed: Record<string, string> = {
    "files.example": "198.51.100.7",
    "FILES.example.": "198.51.100.7",
    "deep.lab.example": "2001:db8::7",
    "lab.example": "198.51.100.8",
    "both.lab.example": "198.51.100.9",
    "inside.lab.example": "10.1.2.3",
    "203.0.113.5": "203.0.113.5",
    "[::ffff:203.0.113.5]": "203.0.113.5",
    "10.9.9.9": "10.9.9.9",
    "[2001:db8:0::1]": "2001:db8::1",
  };
  for (const [host, address] of Object.entries(allowed)) {
    assert.equal((await ask(host)).says, address, host);
    assert.match((await ask(host, 22)).says, /no: port 22/, host);
  }
});

Deno.test("judge() refuses every other name without looking it up", async () => {
  for (
    const host of [
      "sub.files.example",
      "notfiles.example",
      "files.example.evil.example",
      "evil-lab.example",
      "secret-of-a-patient.evil.example",
      "localhost",
      "files.example@evil.example",
      "",
      "files.example%00.lab.example",
      "2130706433",
      "127.1",
      "0x7f000001",
      "0x7f.lab.0x1",
    ]
  ) {
    const { says, resolved } = await ask(host, 443);
    assert.match(says, /^no: /, host);
    assert.deepEqual(resolved, [], host);
  }
});

Deno.test("judge() refuses addresses that are not listed, and names that lead to this machine", async () => {
  for (
    const host of [
      "203.0.113.6",
      "127.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[2001:db8::2]",
      "sly.lab.example",
      "mapped.lab.example",
      "mine.lab.example",
      "cloud.lab.example",
      "zero.lab.example",
      "none.lab.example",
    ]
  ) assert.match((await ask(host)).says, /^no: /, host);
  const more = { ips: ["127.0.0.1", "192.0.2.1"] };
  assert.equal((await ask("sly.lab.example", 443, more)).says, "127.0.0.1");
  assert.equal((await ask("mine.lab.example", 443, more)).says, "192.0.2.1");
});
