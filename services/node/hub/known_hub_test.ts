import assert from "node:assert/strict";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { signAddress } from "../../../shared/node_protocol/broker_address.ts";
import { acceptHub, openKnownHub } from "./known_hub.ts";

const credential = (changes: Partial<BrokerCredential> = {}): BrokerCredential => ({
  jwt: "j",
  expires_at: "2026-01-01T00:00:00Z",
  nats_url: "wss://hub.example/nats",
  dispatch_keys: ["UONE"],
  service: "sextant",
  protocol: 2,
  ...changes,
});

Deno.test("another broker or dispatch key than the hub's first is not believed until the owner accepts it", async () => {
  const folder = await temporaryFolder();
  const audited: string[] = [];
  const open = () =>
    openKnownHub({
      folder: folder.path,
      audit: {
        record: (event, details) =>
          Promise.resolve(void audited.push(`${event}: ${JSON.stringify(details)}`)),
      },
      log: silentLogger,
    });
  try {
    const first = await open();
    assert.deepEqual(await first.hold(credential()), credential());
    const changed = credential({ nats_url: "wss://evil.example", dispatch_keys: ["UTWO", "UONE"] });
    for (const known of [first, await open()]) {
      assert.deepEqual(await known.hold(changed), credential({ jwt: "j" }));
      assert.deepEqual(await known.hold(changed), credential());
      const refusals = audited.filter((line) => line.startsWith("hub change refused"));
      assert.match(refusals.at(-1)!, /UTWO.*wss:\/\/evil\.example/);
    }
    assert.equal(audited.length, 3, "each agent says it once");
    const alone = await first.hold(credential({ dispatch_keys: ["UTWO"] }));
    assert.deepEqual(alone.dispatch_keys, [], "rather none than one that was not accepted");

    await acceptHub(folder.path, { keys: ["UTWO"], url: undefined });
    assert.deepEqual((await first.hold(changed)).dispatch_keys, ["UTWO", "UONE"]);
    assert.equal((await first.hold(changed)).nats_url, "wss://hub.example/nats");
    await acceptHub(folder.path, { keys: [], url: "wss://evil.example" });
    assert.deepEqual(await (await open()).hold(changed), changed);
    assert.match(audited.at(-1)!, /^hub change accepted/);
  } finally {
    await folder.remove();
  }
});

Deno.test("a broker that has moved is followed when the hub's known key has signed where, and not by an old word", async () => {
  const folder = await temporaryFolder();
  const [hub, stranger] = [newUserKey(), newUserKey()];
  const now = Date.parse("2026-03-24T10:00:00.000Z");
  const audited: string[] = [];
  const keys = { dispatch_keys: [hub.publicKey] };
  const at = (hours: number) => new Date(now + hours * 3_600_000);
  const moved = (port: number, seed: string, hours: number, told = port) =>
    credential({
      ...keys,
      nats_url: `ws://127.0.0.1:${told}`,
      nats_url_signed: signAddress(seed, `ws://127.0.0.1:${port}`, at(hours)),
    });
  try {
    const known = await openKnownHub({
      folder: folder.path,
      audit: { record: (event) => Promise.resolve(void audited.push(event)) },
      log: silentLogger,
      now: () => now,
    });
    const url = async (given: BrokerCredential) => (await known.hold(given)).nats_url;
    assert.equal(await url(moved(1, hub.seed, -3)), "ws://127.0.0.1:1");
    const refused: [string, BrokerCredential][] = [
      ["signed by another key", moved(2, stranger.seed, 0)],
      ["signed for another address", moved(3, hub.seed, 0, 2)],
      ["signed long ago", moved(2, hub.seed, -25)],
      ["not signed", credential({ ...keys, nats_url: "ws://127.0.0.1:2" })],
      [
        "signed by a key that comes along",
        {
          ...moved(2, stranger.seed, 0),
          dispatch_keys: [hub.publicKey, stranger.publicKey],
        },
      ],
    ];
    for (const [what, given] of refused) {
      assert.equal(await url(given), "ws://127.0.0.1:1", what);
    }
    assert.ok(!audited.includes("hub change accepted"));
    assert.equal(await url(moved(2, hub.seed, -1)), "ws://127.0.0.1:2");
    assert.equal(audited.at(-1), "hub change accepted");
    // What the hub had signed before that, somebody may have kept.
    assert.equal(await url(moved(1, hub.seed, -2)), "ws://127.0.0.1:2");
    assert.equal(await url(moved(1, hub.seed, 0)), "ws://127.0.0.1:1");
  } finally {
    await folder.remove();
  }
});
