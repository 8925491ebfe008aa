/**
 * An encrypted collaboration: the hub keeps nothing that it can read, and the numbers are right.
 * @module
 */
import assert from "node:assert/strict";
import {
  newPrivateKey,
  publicKeyText,
  readPrivateKey,
  readPublicKey,
} from "../services/node/encryption/keys.ts";
import { createSeal, openSealed, sealText } from "../services/node/encryption/sealed.ts";
import { createSignedSeal } from "../services/node/encryption/signed.ts";
import { fingerprintOf } from "../shared/contract/public_key.ts";
import { parse } from "yaml";
import { createApiClient } from "./support/api.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json, type Member, type Site } from "./site.ts";

const stack = useTestStack();
const DATA = ["x,y\n1,2\n2,4\n", "x,y\n6,6\n"];
const encoder = new TextEncoder();

const AUTHENTICATED = /^c2V4dGFudD[I-L]/;

/** Two organizations with nodes; `encryption` holds more settings of the first one's. */
async function encryptedSite(encryption: object = {}): Promise<{ site: Site; keys: string[] }> {
  const keys = await Promise.all(DATA.map(() => newPrivateKey(2048)));
  const files = await Promise.all(keys.map(async (key) => {
    const path = await Deno.makeTempFile({ dir: stack().folder, suffix: ".pem" });
    await Deno.writeTextFile(path, key);
    return path;
  }));
  const site = await createSite(stack(), {
    data: DATA,
    encrypted: true,
    node: (index) => ({
      encryption: {
        enabled: true,
        private_key: files[index],
        ...(index === 0 ? encryption : {}),
      },
    }),
  });
  return { site, keys };
}

/** Posts a task the way a researcher's program does: with each organization's key from the hub. */
async function post(
  { researcher, collaborationId }: Site,
  { image, input, member }: { image: string; input: unknown; member: Member },
): Promise<Json> {
  const { public_key } = await researcher.get(`/organization/${member.id}`);
  return await researcher.post("/task", {
    name: "secret",
    image,
    collaboration_id: collaborationId,
    organizations: [{
      id: member.id,
      input: sealText(encoder.encode(JSON.stringify(input)), createSeal(readPublicKey(public_key))),
    }],
    databases: [{ label: "default" }],
  });
}

async function finalStatus({ researcher }: Site, taskId: number): Promise<string> {
  return await waitFor(async () => {
    const { status } = await researcher.get(`/task/${taskId}/status?wait=1`);
    return ["pending", "initializing", "active"].includes(status) ? undefined : status;
  }, { what: `task ${taskId} to end`, timeout: 60_000 });
}

/** With the key alone, without looking at who has written it. */
async function open(
  payload: string | Uint8Array,
  key: string,
  writer: string = key,
): Promise<Json> {
  const { content } = await openSealed(payload, readPrivateKey(key), {
    unsigned() {},
    signed: () => Promise.resolve(readPublicKey(publicKeyText(readPrivateKey(writer)))),
  });
  return JSON.parse(new TextDecoder().decode(content));
}

Deno.test("an encrypted collaboration computes a central and partial average, and only keys open it", async () => {
  const { site, keys } = await encryptedSite();
  const [first, second] = site.members as [Member, Member];
  for (const member of site.members) await site.startNode(member);
  for (const [index, { id }] of site.members.entries()) {
    const { public_key } = await site.admin.get(`/organization/${id}`);
    assert.equal(public_key, publicKeyText(readPrivateKey(keys[index]!)), "uploaded at the start");
  }
  const { researcher } = site;

  const input = { method: "central", kwargs: { column: "x" } };
  const task = await post(site, { image: "deno:average@1.0.0", input, member: first });
  assert.equal(await finalStatus(site, task.id), "completed");
  const [{ result }] = (await researcher.get(`/result?task_id=${task.id}`)).data;
  assert.equal((await open(result, keys[0]!)).average, 3);

  const [subtask] = (await researcher.get(`/task?parent_id=${task.id}`)).data;
  const shares = (await researcher.get(`/run?task_id=${subtask.id}`)).data;
  const partials = (await researcher.get(`/result?task_id=${subtask.id}`)).data;
  assert.equal(shares.length, 2);
  for (const { organization, input } of shares) {
    const key = keys[organization.id === second.id ? 1 : 0]!;
    assert.equal((await open(input, key, keys[0]!)).method, "partial");
    assert.match(input, AUTHENTICATED, "what both nodes have told the hub that they read");
  }
  assert.doesNotMatch(result, AUTHENTICATED, "for a person's program");
  for (const { id, result } of partials) {
    assert.match(result, AUTHENTICATED);
    const writer = shares.find((one: Json) => one.id === id).organization.id === second.id ? 1 : 0;
    assert.ok(await open(result, keys[0]!, keys[writer]!), "for the organization that asked");
    await assert.rejects(open(result, keys[1]!, keys[writer]!));
    await assert.rejects(open(result, keys[0]!, keys[1 - writer]!), /has not signed it/);
  }
});

/** What a program of v6 does at its start, in the place of a member's agent. */
async function logInAsFieldNode({ config }: Member): Promise<void> {
  const { api_key } = parse(await Deno.readTextFile(config));
  await createApiClient(stack().gatewayUrl).post("/token/node", { api_key });
}

/** What was posted for, and what came from, each member's share of the only subtask. */
async function shares({ researcher }: Site, taskId: number) {
  const [subtask] = (await researcher.get(`/task?parent_id=${taskId}`)).data;
  const runs: Json[] = (await researcher.get(`/run?task_id=${subtask.id}`)).data;
  const results: Json[] = (await researcher.get(`/result?task_id=${subtask.id}`)).data;
  return (member: Member) => {
    const run = runs.find(({ organization }) => organization.id === member.id)!;
    return { input: run.input, result: results.find(({ id }) => id === run.id)!.result };
  };
}

const CENTRAL = {
  image: "deno:average@1.0.0",
  input: { method: "central", kwargs: { column: "x" } },
};

Deno.test("a node that says nothing of its formats gets v6's, and its answers are for who asked", async () => {
  const { site, keys } = await encryptedSite();
  const [first, second] = site.members as [Member, Member];
  for (const member of site.members) await site.startNode(member);
  await logInAsFieldNode(second);
  const task = await post(site, { ...CENTRAL, member: first });
  assert.equal(await finalStatus(site, task.id), "completed");
  const of = await shares(site, task.id);
  assert.match(of(first).input, AUTHENTICATED);
  assert.doesNotMatch(of(second).input, AUTHENTICATED);
  assert.equal((await open(of(second).input, keys[1]!)).method, "partial");
  assert.match(of(second).result, AUTHENTICATED, "the first node reads it");
});

Deno.test("who insists on the authenticated format writes nothing for a node that does not read it", async () => {
  const { site } = await encryptedSite({ between_nodes: "authenticated" });
  const [first, second] = site.members as [Member, Member];
  for (const member of site.members) await site.startNode(member);
  const good = await post(site, { ...CENTRAL, member: first });
  assert.equal(await finalStatus(site, good.id), "completed");

  // What it has told outlives its connection, until another program takes its place.
  await stack().part(`node ${second.node}`).kill9();
  await waitFor(
    async () => (await site.admin.get(`/node/${second.nodeId}`)).status === "offline",
    { what: "the second node to be away", timeout: 30_000 },
  );
  const path = `/collaboration/${site.collaborationId}/payload_formats`;
  const told = async () =>
    (await site.admin.get(path)).data.map((one: Json) => one.payload_formats.join());
  assert.deepEqual(await told(), [
    "field,authenticated2,requests1",
    "field,authenticated2,requests1",
  ]);
  await logInAsFieldNode(second);
  assert.deepEqual(await told(), ["field,authenticated2,requests1", ""]);

  const bad = await post(site, { ...CENTRAL, member: first });
  assert.notEqual(await finalStatus(site, bad.id), "completed");
  const [run] = (await site.researcher.get(`/run?task_id=${bad.id}`)).data;
  assert.match(run.log, new RegExp(`node of organization ${second.id} has not told the hub`));
  assert.match(run.log, /encryption\.between_nodes/);
  assert.deepEqual((await site.researcher.get(`/task?parent_id=${bad.id}`)).data, []);
});

Deno.test("a large encrypted result arrives as a blob that v6's programs can read", async () => {
  const { site, keys } = await encryptedSite();
  const [first] = site.members as [Member];
  await site.startNode(first);
  const length = 3_000_000;
  const input = { method: "text", kwargs: { length } };
  const task = await post(site, { image: "deno:slow@1.0.0", input, member: first });
  assert.equal(await finalStatus(site, task.id), "completed");
  const [{ result, blob_storage_used }] =
    (await site.researcher.get(`/result?task_id=${task.id}`)).data;
  assert.equal(blob_storage_used, true);
  const blob = await site.researcher.request("GET", `/blobstream/${result}`);
  assert.equal((await open(new Uint8Array(await blob.arrayBuffer()), keys[0]!)).length, length);
});

Deno.test("an input encrypted for another organization, or damaged, fails with one and the same reason", async () => {
  const { site, keys } = await encryptedSite();
  const [first] = site.members as [Member];
  await site.startNode(first);
  const content = encoder.encode('{"method":"central","kwargs":{"column":"x"}}');
  const own = readPublicKey(publicKeyText(readPrivateKey(keys[0]!)));
  const other = readPublicKey(publicKeyText(readPrivateKey(keys[1]!)));
  const [wrapped, iv, ciphertext] = sealText(content, createSeal(own)).split("$") as [
    string,
    string,
    string,
  ];
  const label = {
    is: "input" as const,
    collaboration_id: site.collaborationId,
    from: first.id,
    key: fingerprintOf(own),
    to: [first.id],
    run_id: 1,
    parent_id: 1,
    at: new Date().toISOString(),
  };
  const changed = Uint8Array.fromBase64(ciphertext);
  changed[0]! ^= 0x80;
  const reasons = new Set<string>();
  for (
    const input of [
      sealText(content, createSeal(other)),
      [wrapped, iv, changed.toBase64()].join("$"),
      sealText(
        content,
        createSignedSeal(label, { reader: other, writer: readPrivateKey(keys[0]!) }),
      ),
    ]
  ) {
    const task = await site.researcher.post("/task", {
      name: "wrong",
      image: "deno:average@1.0.0",
      collaboration_id: site.collaborationId,
      organizations: [{ id: first.id, input }],
      databases: [{ label: "default" }],
    });
    assert.notEqual(await finalStatus(site, task.id), "completed");
    const [run] = (await site.researcher.get(`/run?task_id=${task.id}`)).data;
    assert.equal(run.status, "start failed");
    reasons.add(run.log);
  }
  assert.equal(reasons.size, 1, [...reasons].join("\n"));
  assert.match([...reasons][0]!, /damaged, or encrypted for another key/);
});

Deno.test("a node whose encryption differs from the collaboration's refuses to start and names both", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n"], encrypted: true });
  const { config } = site.members[0]!;
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "services/node/main.ts", "--config", config],
  }).output();
  const said = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  assert.equal(code, 2, said);
  assert.match(said, /encryption\.enabled is false here, but the collaboration .* is encrypted/);
});
