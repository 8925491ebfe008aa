/**
 * A hub that forges, replays, splices, downgrades and freezes, and changes keys: a node whose owner
 * insists on authenticated payloads refuses all of it, with the reason in its audit log.
 */
import assert from "node:assert/strict";
import { constants, sign, verify } from "node:crypto";
import { join } from "node:path";
import type { Seal } from "../../shared/contract/audit.ts";
import { fingerprintOf } from "../../shared/contract/public_key.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { NODE_PROTOCOL } from "../../shared/node_protocol/reports.ts";
import { statementBytes } from "../../shared/node_protocol/witness.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { NO_SEAL, sealDigest } from "../../shared/storage/audit_seal.ts";
import { originOf } from "../../shared/transparency/checkpoint.ts";
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
import { createRecordDouble, type RecordDouble } from "../../tests/support/record_double.ts";
import { type Agent, startAgent } from "./agent.ts";
import { readNodeConfig } from "./config/config.ts";
import { publicKeyText } from "./encryption/keys.ts";
import type { Label } from "../../shared/payload/label.ts";
import { openSealed, sealText } from "./encryption/sealed.ts";
import { readStatus } from "./record/agent_status.ts";
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
  /** Why the agent could last not go on, as it tells its owner. */
  status(): Promise<string | undefined>;
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
      async status() {
        return (await readStatus(config.dataFolder))?.trouble?.reason;
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

const LATER = 1000;

/** What the hub shows this node of its audit record: checkpoints of `record`, and its proofs. */
function show(hub: HubDouble, record: RecordDouble, change: { size?: number; seed?: string } = {}) {
  const origin = originOf("ATEST", record.service);
  const sealedAt = Date.now() + LATER * hub.asked.size;
  hub.checkpoints = [record.checkpoint({ seed: hub.dispatchSeed, sealedAt, origin, ...change })];
  hub.prove = (_service, from, to) => record.proof(from, to);
}

Deno.test("a record of the hub that is rewritten, cut off, split or signed by another is an alarm when it comes with work", async () => {
  await withPlace(async ({ hub, start, post, audited }) => {
    const record = createRecordDouble();
    record.grow(5);
    show(hub, record);
    await start();
    await waitFor(async () => (await audited("hub checkpoint noted")).length > 0, {
      what: "the checkpoint to be noted",
    });
    const [noted] = await audited("hub checkpoint noted");
    assert.deepEqual([noted!.size, noted!.note], [5, hub.checkpoints![0]]);

    record.grow(2);
    show(hub, record);
    assert.equal((await post(input(labelled()))).status, "completed");
    const rewritten = createRecordDouble();
    rewritten.grow(20);
    const short = record.fork(3);
    const split = record.fork(6);
    split.grow(1);
    const cases: [string, RecordDouble, { seed?: string }, RegExp][] = [
      ["rewritten", rewritten, {}, /The 7 entries that were seen are not the beginning of the 20/],
      ["rolled back", short, {}, /The record has 3 entries; it had 7 before/],
      ["split view", split, {}, /There are two records of task with 7 entries/],
      ["bad signature", record, { seed: newUserKey().seed }, /no key that is known as the hub's/],
    ];
    for (const [kind, shown, change, problem] of cases) {
      show(hub, shown, change);
      // The work itself is as good as before.
      assert.equal((await post(input(labelled()))).status, "completed");
      const broken = await waitFor(
        async () => (await audited("hub record broken")).find((one) => one.kind === kind),
        { what: kind },
      );
      assert.match(String(broken.problem), problem);
      assert.equal(broken.told, hub.checkpoints![0]);
      assert.match(String(broken.noted), /^sextant\/ATEST\/task\n7\n/);
    }
    record.grow(1);
    show(hub, record);
    assert.equal((await post(input(labelled()))).status, "completed");
    assert.equal((await audited("hub record broken")).length, cases.length, "each once");
  });
});

Deno.test("a hub that shows another node another record is found out by that node's statement", async () => {
  await withPlace(async ({ hub, start, audited }) => {
    const record = createRecordDouble();
    record.grow(5);
    show(hub, record);
    const other = record.fork(4);
    other.grow(3);
    const sealedAt = Date.now();
    const origin = originOf("ATEST", "task");
    const text = JSON.stringify({
      v: 1,
      node_id: 8,
      organization_id: 4,
      collaboration_id: 2,
      at: new Date(sealedAt).toISOString(),
      checkpoints: [other.checkpoint({ seed: hub.dispatchSeed, sealedAt, origin })],
    });
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = sign("sha256", statementBytes(text), { key: KEYS[4]!, ...pss });
    hub.statements = [{
      node_id: 8,
      organization_id: 4,
      text,
      key: fingerprintOf(publicKeyOfOrganization(4)),
      signature: signature.toString("base64"),
    }];
    await start();
    const [broken] = await waitFor(async () => {
      const found = await audited("hub record broken");
      return found.length > 0 ? found : undefined;
    }, { what: "the alarm" });
    assert.equal(broken!.kind, "split view");
    assert.match(String(broken!.problem), /^Node 8 was shown 7 records that are not those/);
    assert.equal(broken!.noted, hub.checkpoints![0]);
    assert.match(String(broken!.told), /^sextant\/ATEST\/task\n7\n/);
    // This node has stated what it was shown, signed by its organization.
    const { text: own, key, signature: signed } = hub.stated[0]!;
    assert.equal(key, fingerprintOf(publicKeyOfOrganization(3)));
    const reader = { key: publicKeyOfOrganization(3), ...pss };
    assert.ok(verify("sha256", statementBytes(own), reader, Buffer.from(signed, "base64")));
    assert.deepEqual(JSON.parse(own).checkpoints, hub.checkpoints);
  });
});

Deno.test("an agent at an older hub waits for its update, and says so; with one that has no checkpoints it works", async () => {
  await withPlace(async ({ hub, start, post, audited, status }) => {
    hub.protocol = 2;
    const starting = start();
    await waitFor(async () => /of a version before this agent's/.test((await status()) ?? ""), {
      what: "the agent to say what it waits for",
      timeout: 15_000,
    });
    hub.protocol = NODE_PROTOCOL;
    await starting;
    assert.equal((await post(input(labelled()))).status, "completed");
    assert.ok((hub.asked.get("GET /audit/checkpoints") ?? 0) > 0);
    assert.deepEqual(await audited("hub record broken"), []);
  });
});
