import assert from "node:assert/strict";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
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
