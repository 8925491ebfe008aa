/**
 * A hub that forges, replays, splices, downgrades and freezes, and changes keys: a node whose owner
 * insists on authenticated payloads refuses all of it, with the reason in its audit log.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Seal } from "../../shared/contract/audit.ts";
import { fingerprintOf } from "../../shared/contract/public_key.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { NO_SEAL, sealDigest } from "../../shared/storage/audit_seal.ts";
import { waitFor } from "../../tests/harness.ts";
import { API_KEY, type HubDouble, startHubDouble } from "../../tests/support/hub_double.ts";
import { nodeFolder } from "../../tests/support/node_agent.ts";
import {
  inputLabel,
  KEYS,
  publicKeyOfOrganization,
  signedSeal,
  unsignedSeal,
} from "../../tests/support/payloads.ts";
import { type Agent, startAgent } from "./agent.ts";
import { readNodeConfig } from "./config/config.ts";
import { publicKeyText } from "./encryption/keys.ts";
import type { Label } from "../../shared/payload/label.ts";
import { openSealed, sealText } from "./encryption/sealed.ts";
import { AUDIT_FILE } from "./record/audit_log.ts";

const CALL = new TextEncoder().encode('{"method":"echo","kwargs":{"a":1}}');
/** A part, at organization 3's node, of a subtask that organization 4's central part has made. */
const PART = { parent_id: 5, init_org_id: 4 };
/** Its input. */
const labelled = (changes: object = {}) =>
  inputLabel({ from: 4, key: fingerprintOf(publicKeyOfOrganization(4)), to: [3], ...changes });
const input = (label: Label, writer?: number) => sealText(CALL, signedSeal(label, writer));

interface Place {
  hub: HubDouble;
  start(): Promise<Agent>;
  /** Posts a part with this stored input; its end. */
  post(rawInput: string, change?: object): ReturnType<HubDouble["final"]>;
  audited(event: string): Promise<Record<string, unknown>[]>;
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const hub = await startHubDouble();
  hub.encrypted = true;
  hub.publicKeys.set(4, publicKeyText(KEYS[4]!));
  const keyFile = await Deno.makeTempFile({ suffix: ".pem" });
  await Deno.writeTextFile(
    keyFile,
    KEYS[3]!.export({ type: "pkcs1", format: "pem" }) as string,
  );
  const folder = await nodeFolder(hub, API_KEY, {
    encryption: { enabled: true, private_key: keyFile, between_nodes: "authenticated" },
  });
  const config = await readNodeConfig(folder.configPath, {});
  const agents: Agent[] = [];
  try {
    await use({
      hub,
      async start() {
        const agent = await startAgent({
          config,
          log: silentLogger,
          signal: new AbortController().signal,
          onFailure() {},
        });
        agents.push(agent);
        return agent;
      },
      async post(rawInput, change = {}) {
        const work = { image: "deno:test@1.0", input: null, rawInput };
        return await hub.final(await hub.post({ ...work, change: { ...PART, ...change } }));
      },
      async audited(event) {
        const text = await Deno.readTextFile(join(config.dataFolder, AUDIT_FILE));
        return text.trim().split("\n").map((line) => JSON.parse(line))
          .filter((record) => record.event === event);
      },
    });
  } finally {
    for (const agent of agents) await agent.stop();
    await hub.stop();
    await folder.remove();
    await Deno.remove(keyFile);
  }
}

Deno.test("a node computes on what another node has signed, and signs its answer to it", async () => {
  await withPlace(async ({ hub, start, post, audited }) => {
    await start();
    assert.equal(hub.publicKeys.get(3), publicKeyText(KEYS[3]!), "told where there was none");
    const end = await post(input(labelled()));
    assert.equal(end.status, "completed", end.reason ?? "");
    let label: Label | undefined;
    const { content } = await openSealed(end.result!, KEYS[4]!, {
      unsigned: () => assert.fail("it is not signed"),
      signed(found) {
        label = found;
        return Promise.resolve(publicKeyOfOrganization(3));
      },
    });
    assert.equal(new TextDecoder().decode(content), '{"a":1}');
    assert.deepEqual(
      {
        is: label!.is,
        from: label!.from,
        to: label!.to,
        parent: label!.is === "request" ? null : label!.parent_id,
      },
      { is: "result", from: 3, to: [4], parent: 5 },
    );
    const [ended] = await audited("run ended");
    assert.equal(ended!.key, fingerprintOf(publicKeyOfOrganization(4)));
  });
});

Deno.test("what the hub forges, replays, splices or downgrades is refused, and the audit log says why", async () => {
  await withPlace(async ({ start, post, audited }) => {
    await start();
    const good = input(labelled());
    assert.equal((await post(good)).status, "completed");
    const cases: [what: string, stored: string, change: object, reason: RegExp][] = [
      ["forged", input(labelled(), 5), {}, /organization 4 has not signed it/],
      ["by the public key alone", sealText(CALL, unsignedSeal(3)), {}, /it is in v6's format/],
      ["replayed", good, {}, /it is the input of result \d+, given once more/],
      ["of another task", input(labelled({ parent_id: 6 })), {}, /for a subtask of task 6/],
      ["of another run", input(labelled({ run_id: 2 })), {}, /of run 2/],
      ["called a user's", input(labelled()), { parent_id: null }, /not of a user/],
      ["called another's", input(labelled()), { init_org_id: 5 }, /organization 4 has written it/],
      [
        "spliced",
        [...good.split("$").slice(0, 2), input(labelled()).split("$")[2]].join("$"),
        {},
        /damaged/,
      ],
    ];
    for (const [what, stored, change, reason] of cases) {
      const end = await post(stored, change);
      assert.equal(end.status, "start failed", what);
      assert.equal(end.result, null, what);
      const refused = (await audited("payload refused")).at(-1)!;
      assert.match(String(refused.reason), reason, what);
      assert.deepEqual([refused.what, refused.result_id], ["input", end.id]);
    }
    assert.equal((await audited("payload refused")).length, cases.length);
  });
});

Deno.test("another key than an organization's first is used neither to read nor to write", async () => {
  await withPlace(async ({ hub, start, post, audited }) => {
    await start();
    assert.equal((await post(input(labelled()))).status, "completed");
    hub.publicKeys.set(4, publicKeyText(KEYS[5]!));
    const other = fingerprintOf(publicKeyOfOrganization(5));
    const read = await post(input(labelled({ key: other }), 5));
    assert.match(read.reason!, /it was sha256:[0-9a-f]{64} before/);
    const written = await post(input(labelled()));
    assert.match(written.reason!, /it is not used\. .*accept-key/);
    assert.equal((await audited("public key refused")).at(-1)!.fingerprint, other);
  });
});

Deno.test("a hub that has another key for the node's own organization is told so, and gets no other", async () => {
  await withPlace(async ({ hub, start, audited }) => {
    hub.publicKeys.set(3, publicKeyText(KEYS[5]!));
    await assert.rejects(start(), /the hub's record of this organization \(3\) has sha256:/);
    assert.equal(hub.publicKeys.get(3), publicKeyText(KEYS[5]!), "a node changes no key");
    assert.equal((await audited("public key refused")).length, 1);
  });
});

Deno.test("work for another organization, and by a key that the hub did not have, is dropped", async () => {
  await withPlace(async ({ hub, start, audited }) => {
    const first = await start();
    const work = { image: "deno:test@1.0", input: null, rawInput: input(labelled()) };
    const refusals = async (reason: RegExp) =>
      (await audited("hub message refused")).some((one) => reason.test(String(one.reason)));
    await hub.post({ ...work, change: { ...PART, organization_id: 4 } });
    await waitFor(() => refusals(/it is for organization 4/), { what: "it to be dropped" });
    await hub.post({ ...work, change: { ...PART, issued_at: "2020-01-01T00:00:00.000Z" } });
    await waitFor(() => refusals(/issued at 2020/), { what: "it to be dropped" });
    await first.stop();
    hub.dispatchSeed = newUserKey().seed;
    await start();
    const [refused] = await audited("hub change refused");
    assert.match(String(refused!.reason), /another broker or key than before/);
    const late = await hub.post({ ...work, change: PART });
    await waitFor(() => refusals(/its signature is not the hub's/), { what: "it to be dropped" });
    assert.equal(late.status, "pending");
  });
});

Deno.test("a record of the hub that stands still is an alarm in the node's audit log", async () => {
  await withPlace(async ({ hub, start, audited }) => {
    const old = {
      number: 1,
      last_id: 1,
      records: 1,
      records_sha256: "a",
      sealed_at: new Date(Date.now() - 2 * 86_400_000).toISOString(),
    };
    const seal: Seal = { ...old, sha256: sealDigest(NO_SEAL, old) };
    hub.seals = [seal];
    await start();
    await waitFor(async () => (await audited("hub record broken")).length > 0, {
      what: "the alarm",
    });
    const [broken] = await audited("hub record broken");
    assert.match(String(broken!.problem), /none came since/);
  });
});
