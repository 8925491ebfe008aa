/**
 * Subtasks in an encrypted collaboration, through deaths of the agent, with the real task service.
 */
import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { openRunProxy } from "../../../tests/support/run_proxy.ts";
import { useTaskHub } from "../../../tests/support/task_hub.ts";
import {
  CENTRAL,
  KEYS,
  payloadsOf,
  publicKeyOfOrganization,
  unsignedSeal,
} from "../../../tests/support/payloads.ts";
import { publicKeyText } from "../encryption/keys.ts";
import { sealText } from "../encryption/sealed.ts";
import { createCorrespondence } from "./correspondence.ts";
import { createHub } from "../hub/hub.ts";
import { openCreationMemory } from "./creation_memory.ts";
import { createProxyToken } from "./proxy/token.ts";

const taskHub = useTaskHub();
const publicKey = publicKeyText(KEYS[3]!);
const reader = publicKeyOfOrganization(3);
/** Organizations have other ids at a real hub. */
const ONE_KEY = {
  check: () => Promise.resolve(),
  ofReader: () => Promise.resolve(reader),
  ofSigner: () => Promise.resolve(reader),
};
const encoder = new TextEncoder();

interface RunAtHub {
  /** An agent that has just taken the run up; asks it for a subtask, as the run does. */
  newAgent(): Promise<(name: string, options?: { lost?: boolean }) => Promise<Made>>;
  /** Bodies of `POST /task` as they came to the hub. */
  sent: string[];
  /** Resolves when the hub has made a subtask and says nothing, as to an agent that dies. */
  silence(): Promise<unknown>;
  /** Ids of the subtasks that there are. */
  subtasks(): Promise<number[]>;
  files(): Promise<string[]>;
}

interface Made {
  status: number;
  id: number;
}

async function withRun(use: (run: RunAtHub) => Promise<void>): Promise<void> {
  const place = await taskHub().place(1, { encrypted: true });
  const { organization } = place.members[0]!;
  const input = sealText(
    encoder.encode('{"method":"central"}'),
    unsignedSeal(3),
  );
  const user = await taskHub().user(place);
  const parent = await taskHub().post(user, place, {
    organizations: [{ id: organization, input }],
  });
  const principal = taskHub().container(place, 0, parent);
  const grant = {
    node_id: principal.id,
    organization_id: organization,
    collaboration_id: place.collaboration,
    study_id: null,
    store_id: null,
    task_id: parent.id,
    image: parent.image,
    databases: [],
  };
  const token = createProxyToken(grant);
  const sent: string[] = [];
  let silent: PromiseWithResolvers<unknown> | undefined;
  const over = new AbortController();

  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.replace("/api", "");
    if (path === "/token/node") {
      const claims = encoder.encode(JSON.stringify({ sub: principal.id, exp: 4e9 })).toBase64();
      return Response.json({ access_token: `e30.${claims}.x` });
    }
    if (path !== "/task") return Response.json({ name: "A", public_key: publicKey });
    const body = await request.text();
    sent.push(body);
    const key = request.headers.get("idempotency-key")!;
    const answer = await taskHub().call(principal, "POST /task", JSON.parse(body), {
      "idempotency-key": key,
    });
    if (!silent) return Response.json(answer.body, { status: answer.status });
    silent.resolve(undefined);
    silent = undefined;
    await new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve()));
    return new Response();
  });
  const { signal } = over;
  const hub = createHub({
    api: `http://127.0.0.1:${server.addr.port}/api`,
    apiKey: "k",
    payloadFormats: [],
    log: silentLogger,
  });
  const folder = await temporaryFolder();

  async function newAgent() {
    const proxy = await openRunProxy({
      folder: folder.path,
      hub,
      token,
      grant,
      codec: payloadsOf(3, { keys: ONE_KEY }).codecOf(CENTRAL, createCorrespondence()),
      signal,
    });
    return async function ask(name: string, { lost = false } = {}): Promise<Made> {
      const delivered = Promise.withResolvers<void>();
      const body = {
        name,
        image: parent.image,
        collaboration_id: place.collaboration,
        organizations: [{ id: organization, input: btoa('{"method":"partial"}') }],
        databases: [],
      };
      const response = await proxy(
        new Request("http://127.0.0.1/task", {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        }),
        { completed: delivered.promise },
      );
      const { id } = await response.json();
      if (lost) delivered.reject(new Error("the connection broke"));
      else delivered.resolve();
      await delivered.promise.catch(() => {});
      return { status: response.status, id };
    };
  }

  try {
    await use({
      newAgent,
      sent,
      silence: () => (silent = Promise.withResolvers()).promise,
      async subtasks() {
        const rows = await taskHub().db<{ id: number }[]>`
          select id from task where parent_id = ${parent.id} order by id`;
        return rows.map(({ id }) => id);
      },
      files: async () =>
        (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort(),
    });
  } finally {
    over.abort(new Error("the run is over"));
    await server.shutdown();
    await folder.remove();
  }
}

Deno.test("openCreationMemory() sends the next agent's hub what the first one sent, and makes a subtask once", async () => {
  await withRun(async ({ newAgent, sent, silence, subtasks }) => {
    const dying = await newAgent();
    const made = silence();
    dying("partial").catch(() => {});
    await made;
    const ids = await subtasks();
    assert.equal(ids.length, 1);

    const next = await newAgent();
    assert.deepEqual(await next("partial", { lost: true }), { status: 201, id: ids[0] });
    assert.equal(sent.length, 2);
    assert.equal(sent[1], sent[0]);

    // This one died when it had the answer and the run did not.
    const last = await newAgent();
    assert.deepEqual(await last("partial"), { status: 201, id: ids[0] });
    assert.equal(sent.length, 2);
    assert.deepEqual(await subtasks(), ids);
  });
});

Deno.test("openCreationMemory() makes a subtask anew once its answer has arrived, and keeps nothing of it", async () => {
  await withRun(async ({ newAgent, subtasks, files }) => {
    const ask = await newAgent();
    const ids = [await ask("partial"), await ask("partial")].map(({ id }) => id);
    ids.push((await (await newAgent())("partial")).id);
    assert.deepEqual(await subtasks(), ids);
    assert.equal(new Set(ids).size, 3);
    // The hub takes no such name.
    assert.equal((await ask("x".repeat(100_000))).status, 400);
    await (await newAgent())("another");
    await waitFor(async () => (await files()).join() === "posted,posted.secret", {
      what: "nothing to be left",
    });
  });
});

Deno.test("openCreationMemory() names a subtask the same for later agents, and so that nobody can guess from what", async () => {
  const folder = await temporaryFolder();
  try {
    const keyIn = async (file: string) =>
      (await (await openCreationMemory(`${folder.path}/${file}`, "11-1")).keyOf("a text")).key;
    const key = await keyIn("posted");
    assert.match(key, /^11-1-[0-9a-f]{32}-1$/);
    assert.equal(await keyIn("posted"), key);
    assert.notEqual(await keyIn("of another run"), key);
  } finally {
    await folder.remove();
  }
});
