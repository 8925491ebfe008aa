import assert from "node:assert/strict";
import { encodeAccount, newScopedSigner } from "@nats-io/jwt";
import { startOwnNats } from "../../tests/support/nats.ts";
import { waitFor } from "../../tests/harness.ts";
import { keyPair } from "./signing.ts";
import {
  changed,
  changeWithdrawals,
  LONGEST_NODE_CREDENTIAL,
  MOST_WITHDRAWN,
} from "./withdrawals.ts";
import { encodeAppAccount, newTrust } from "./trust.ts";

const NOW = 1_800_000_000;
const list = (entries: Record<string, number>) => new Map(Object.entries(entries));

Deno.test("changed() adds, drops what is over and what is older than any credential, and puts nothing back", () => {
  const before = list({ kept: NOW - 10, over: NOW - 20, old: NOW - LONGEST_NODE_CREDENTIAL });
  const add = list({ new: NOW, kept: NOW - 30 });
  assert.deepEqual(
    changed(before, { add, over: new Set(["over"]) }, NOW),
    list({ kept: NOW - 10, new: NOW }),
  );
  assert.deepEqual(changed(before, { add: list({ kept: NOW }) }, NOW).get("kept"), NOW);
});

Deno.test("the claims with a full list of withdrawals fit into what nats-server takes", async () => {
  const full: Record<string, number> = {};
  for (let n = 0; n < MOST_WITHDRAWN; n++) full[`U${String(n).padStart(55, "A")}`] = NOW;
  assert.ok((await encodeAppAccount(await newTrust(), full)).length < 1_048_576 - 10_000);
});

Deno.test("changeWithdrawals() takes from connected nodes the rights that a version before gave", async () => {
  const nats = await startOwnNats();
  const { trust } = nats;
  const system = await nats.system("identity");
  const question = "$JS.API.CONSUMER.INFO.DISPATCH.1";
  const before = newScopedSigner(keyPair(trust.nodeSigner), "node", {
    pub: { allow: ["$JS.API.CONSUMER.INFO.DISPATCH.{{name()}}", "report.{{name()}}.>"] },
    sub: { allow: ["_INBOX.{{name()}}.>"] },
    allowed_connection_types: ["WEBSOCKET"],
  });
  const withdrawn = { UAOLD: Math.floor(Date.now() / 1000) };
  const jwt = await encodeAccount("sextant", keyPair(trust.app), {
    signing_keys: [keyPair(trust.serviceSigner).getPublicKey(), before],
    revocations: withdrawn,
    limits: {
      conn: -1,
      subs: -1,
      data: -1,
      payload: -1,
      wildcards: true,
      imports: -1,
      exports: -1,
    },
  }, { signer: keyPair(trust.operator) });
  await system.nc.request("$SYS.REQ.CLAIMS.UPDATE", jwt);
  const { nc, refusals } = await nats.node(1);
  const refusedOf = async (subject: string) => {
    const count = refusals.length;
    nc.publish(subject, "");
    nc.publish("nobody.may.do.this", "");
    await waitFor(() => refusals.length > count, { what: "a refusal" });
    return refusals.slice(count).map(({ permissionContext }) => permissionContext?.subject);
  };
  assert.deepEqual(await refusedOf(question), ["nobody.may.do.this"]);

  // Claims are of a second, and the newer ones win.
  const { iat } = JSON.parse(atob(jwt.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  await waitFor(() => Date.now() / 1000 > iat + 1, { what: "the next second" });
  const changes: boolean[] = [];
  nc.watch((connected) => changes.push(connected));
  await changeWithdrawals(system.nc, trust, { add: new Map() });
  await waitFor(() => changes.at(-1) === true, { what: "the node to come back" });
  await waitFor(() => nc.flush().then(() => true), { what: "an answer" });
  const refused = await refusedOf(question);
  assert.ok(refused.includes(question), JSON.stringify(refused));
  const account = keyPair(trust.app).getPublicKey();
  const found = await system.nc.request(`$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`);
  assert.match(
    atob(found.string().split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")),
    /UAOLD/,
  );
  await nats.stop();
});
