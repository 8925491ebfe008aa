import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { ACCOUNT, SIGNER, systemAccount } from "../../../tests/support/system_account.ts";
import { hearConnections, listConnections } from "./broker_connections.ts";

const issuers = { appAccountPublic: ACCOUNT, nodeSignerPublic: SIGNER };
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
const nodesIn = (list: Map<string, number>) => [...list.values()].toSorted((a, b) => a - b);

Deno.test("listConnections() misses no living node of 500 when others close between two pages", async () => {
  for (const closing of [1, 2, 38, 39]) {
    const system = systemAccount((one, offset) => {
      if (offset === 0) { for (const node of range(0, closing)) one.close(node); }
    });
    for (const node of range(0, 500)) system.open(node);
    const listed = nodesIn(await listConnections({ system, issuers }));
    assert.equal(system.pages, 2);
    assert.deepEqual(listed.filter((node) => node >= closing), range(closing, 500));
  }
});

Deno.test("listConnections() gives no list when more closed than two pages share", async () => {
  const system = systemAccount((one) => {
    if (one.pages === 1) { for (const node of range(0, 41)) one.close(node); }
  });
  for (const node of range(0, 500)) system.open(node);
  await assert.rejects(listConnections({ system, issuers }), /Too many connections closed/);
  assert.deepEqual(nodesIn(await listConnections({ system, issuers })), range(41, 500));
});

Deno.test("listConnections() reads every server to its end, each by its own numbers", async () => {
  const system = systemAccount();
  for (const node of range(0, 1000)) system.open(node, "A");
  for (const node of range(1000, 1003)) system.open(node, "B");
  for (const node of range(1003, 1450)) system.open(node, "C");
  assert.deepEqual(nodesIn(await listConnections({ system, issuers })), range(0, 1450));
  assert.equal(system.pages, 3);
});

Deno.test("listConnections() knows nodes by who signed their credential", async () => {
  const system = systemAccount();
  system.open(5);
  const others = { ...issuers, nodeSignerPublic: "somebody else" };
  assert.deepEqual(nodesIn(await listConnections({ system, issuers: others })), []);
  assert.deepEqual(nodesIn(await listConnections({ system, issuers })), [5]);
});

Deno.test("listConnections() without an answer is an error, not an empty list", async () => {
  const system = { ...systemAccount(), requestMany: () => Promise.resolve([]) as never };
  await assert.rejects(listConnections({ system, issuers }), /No server of the broker/);
});

Deno.test("hearConnections() tells of nodes alone, and of nothing once it is ended", () => {
  const system = systemAccount();
  const told: string[] = [];
  const end = hearConnections({ system, issuers, log: silentLogger }, {
    came: (connection, node) => void told.push(`came ${connection} ${node}`),
    went: (connection, node) => void told.push(`went ${connection} ${node}`),
  });
  system.open(7);
  system.close(7);
  end();
  system.open(8);
  assert.deepEqual(told, ["came A 1 7", "went A 1 7"]);
});
