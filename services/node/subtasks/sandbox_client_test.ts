import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { waitFor } from "../../../tests/harness.ts";
import { startBlobHub } from "../../../tests/support/blob_hub.ts";
import { GRANT } from "../../../tests/support/run_proxy.ts";
import { createFairTurns } from "../../../shared/service/fair_turns.ts";
import { createPlainPayloads } from "../encryption/payloads.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { createHub } from "../hub/hub.ts";
import { encodePayload } from "../../../tests/support/encode_payload.ts";
import type { RawJson } from "../payload/raw_json.ts";
import { CLOSED_CLIENT, createSubtaskClient, type SubtaskClient } from "./sandbox_client.ts";

const dispatch = {
  result_id: 11,
  attempt: 2,
  task_id: 5,
  image: "deno:average@1.0",
} as Dispatch;

interface Asked {
  method: string;
  path: string;
  token: string;
  key: string | null;
  body: Record<string, unknown>;
}
type Answer = [status: number, body: unknown];
type Script = Record<string, (asked: Asked, count: number) => Answer | Promise<Answer>>;

const sub = { ...GRANT, image: "deno:average@1.0", databases: [{ label: "d" }] };

function tokenOf(claims: unknown): string {
  const payload = new TextEncoder().encode(JSON.stringify(claims));
  return `e30.${payload.toBase64({ alphabet: "base64url" })}.x`;
}

async function withClient(
  script: Script,
  use: (client: SubtaskClient, asked: Asked[], stop: AbortController) => Promise<void>,
  grant = sub,
): Promise<void> {
  const asked: Asked[] = [];
  const all: Script = {
    "POST /token/node": () => [200, { access_token: tokenOf({ sub: 7, exp: 4e9 }) }],
    "POST /token/container": () => [200, { container_token: tokenOf({ sub: grant }) }],
    ...script,
  };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const url = new URL(request.url);
      const path = url.pathname.replace("/api", "") + url.search;
      const one: Asked = {
        method: request.method,
        path,
        token: request.headers.get("authorization")?.slice(7) ?? "",
        key: request.headers.get("idempotency-key"),
        body: request.method === "POST" ? await request.json() : {},
      };
      asked.push(one);
      const name = `${request.method} ${path}`;
      const count = asked.filter((other) => `${other.method} ${other.path}` === name).length;
      const [status, body] = await all[name]?.(one, count) ?? [404, { msg: `no ${name}` }];
      return Response.json(body, { status });
    },
  );
  const stop = new AbortController();
  const client = createSubtaskClient({
    hub: createHub({
      api: `http://127.0.0.1:${server.addr.port}/api`,
      apiKey: "k",
      payloadFormats: [],
      log: silentLogger,
    }),
    payloads: createPlainPayloads({ record: () => Promise.resolve() }),
    dispatch,
    log: silentLogger,
    signal: stop.signal,
    whileWaiting: (work) => work(),
    largeTurns: createFairTurns(1),
  });
  try {
    await use(client, asked, stop);
  } finally {
    await server.shutdown();
  }
}

const call = { method: "partial", kwargs: { column: "age" } };
const input = new TextEncoder().encode(JSON.stringify(call));
const created: Script = { "POST /task": () => [201, { id: 40 }] };

Deno.test("SubtaskClient asks for nothing before the algorithm does, and once for a token", async () => {
  const organizations: Script = {
    "GET /organization?collaboration_id=2": () => [200, { data: [{ id: 3, name: "Alpha", x: 1 }] }],
  };
  await withClient(organizations, async (client, asked) => {
    assert.equal(asked.length, 0);
    assert.deepEqual(await client.organizations(), [{ id: 3, name: "Alpha" }]);
    await client.organizations();
    assert.equal(asked.filter(({ path }) => path === "/token/container").length, 1);
    const { body } = asked.find(({ path }) => path === "/token/container")!;
    assert.deepEqual(body, { task_id: 5, image: "deno:average@1.0" });
  });
});

Deno.test("SubtaskClient keeps to the study of its task", async () => {
  const study: Script = {
    "GET /organization?study_id=9": () => [200, { data: [] }],
    ...created,
  };
  await withClient(study, async (client, asked) => {
    assert.deepEqual(await client.organizations(), []);
    await client.createTask({ organizations: [3], input });
    assert.equal(asked.at(-1)!.body.study_id, 9);
  }, { ...sub, study_id: 9 });
});

Deno.test("SubtaskClient.createTask() posts in the run's name, each task with its own key", async () => {
  await withClient(created, async (client, asked) => {
    assert.deepEqual(await client.createTask({ organizations: [3, 4], input }), { id: 40 });
    await client.createTask({ organizations: [3], input, name: "second" });
    const [first, second] = asked.filter(({ path }) => path === "/task");
    const encoded = encodePayload(call);
    assert.deepEqual(first!.body, {
      name: "subtask",
      description: "",
      image: "deno:average@1.0",
      collaboration_id: 2,
      organizations: [{ id: 3, input: encoded }, { id: 4, input: encoded }],
      databases: [{ label: "d" }],
      keep_going: true,
      parent_attempt: 2,
    });
    assert.equal(first!.token, tokenOf({ sub }));
    assert.deepEqual([first!.key, second!.key], ["11-2-1", "11-2-2"]);
    assert.equal(second!.body.name, "second");
  });
});

Deno.test("SubtaskClient.createTask() repeats itself with the same key while the hub is unwell, and takes a refusal", async () => {
  const unwell: Script = {
    "POST /task": (_, count) =>
      [[503, {}], [429, {}], [500, {}]][count - 1] as [number, unknown] ?? [201, { id: 41 }],
  };
  await withClient(unwell, async (client, asked) => {
    assert.deepEqual(await client.createTask({ organizations: [3], input }), { id: 41 });
    const keys = asked.filter(({ path }) => path === "/task").map(({ key }) => key);
    assert.deepEqual(keys, Array(4).fill("11-2-1"));
  });
  for (const status of [400, 401, 403]) {
    const refusing: Script = { "POST /task": () => [status, { msg: "No such organization." }] };
    await withClient(refusing, async (client, asked) => {
      await assert.rejects(
        client.createTask({ organizations: [99], input }),
        /No such organization/,
      );
      assert.equal(asked.filter(({ path }) => path === "/task").length, 1);
    });
  }
});

Deno.test("SubtaskClient.createTask() sends large inputs one after the other, small ones beside them, and none beyond the limit", async () => {
  const large = new Uint8Array(2 ** 20).fill(0x31);
  const gate = Promise.withResolvers<void>();
  const slow: Script = {
    "POST /task": async ({ body }, count) => {
      const [{ input }] = body.organizations as [{ input: string }];
      if (input.length > 2 ** 20) await gate.promise;
      return [201, { id: 40 + count }];
    },
  };
  await withClient(slow, async (client, asked) => {
    const posted = () => asked.filter(({ path }) => path === "/task").length;
    const made = [1, 2].map(() => client.createTask({ organizations: [3], input: large }));
    await waitFor(() => posted() === 1, { what: "the first one" });
    assert.deepEqual(await client.createTask({ organizations: [3], input }), { id: 42 });
    assert.equal(posted(), 2, "the second large one waits");
    gate.resolve();
    await Promise.all(made);
    assert.equal(posted(), 3);
    const organizations = Array.from({ length: 49 }, (_, id) => id + 1);
    await assert.rejects(
      client.createTask({ organizations, input: large }),
      /for 49 organizations is larger than the 64 MiB/,
    );
    assert.equal(posted(), 3);
  });
});

Deno.test("SubtaskClient.results() waits for the end and returns each organization's result", async () => {
  const runs = [
    { id: 72, status: "completed", organization: { id: 4 } },
    { id: 71, status: "completed", organization: { id: 3 } },
  ];
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": (_, count) => [200, {
      status: count < 3 ? "active" : "completed",
    }],
    "GET /run?task_id=40&payload=none": () => [200, { data: runs }],
    "GET /result?task_id=40": () => [200, {
      data: [{ id: 71, result: encodePayload({ sum: 1 }) }, { id: 72, result: "" }],
    }],
  };
  await withClient(script, async (client) => {
    const { id } = await client.createTask({ organizations: [3, 4], input });
    assert.deepEqual(await client.results(id), [
      { organization_id: 3, status: "completed", result: { sum: 1 } },
      { organization_id: 4, status: "completed", result: null },
    ]);
  });
});

Deno.test("SubtaskClient.results() says which part of a subtask failed, and how", async () => {
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": () => [200, { status: "crashed" }],
    "GET /run?task_id=40&payload=none": () => [200, {
      data: [
        { id: 71, status: "crashed", organization: { id: 3 } },
        { id: 72, status: "active", organization: { id: 4 } },
      ],
    }],
    "GET /run/71?payload=log": () => [200, {
      log: "line\nThere is no column x.\n    at partial (average@1.0.0.ts:44:34)\n",
    }],
  };
  await withClient(script, async (client) => {
    const { id } = await client.createTask({ organizations: [3, 4], input });
    await assert.rejects(
      client.results(id),
      /Subtask 40 ended as "crashed"\. organization 3: crashed \(There is no column x\.\)$/,
    );
  });
});

Deno.test("SubtaskClient.results() keeps what there is when a part failed, once all are over", async () => {
  const parts = (status: string) => ({
    data: [
      { id: 72, status, organization: { id: 4 } },
      { id: 71, status: "crashed", organization: { id: 3 } },
    ],
  });
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": () => [200, { status: "crashed" }],
    "GET /run?task_id=40&payload=none": (_, count) => [
      200,
      parts(count < 3 ? "active" : "completed"),
    ],
    "GET /run/71?payload=log": () => [200, { log: "one\nno column x" }],
    "GET /result?task_id=40": () => [200, {
      data: [{ id: 71, result: encodePayload("left over") }, { id: 72, result: encodePayload(5) }],
    }],
  };
  await withClient(script, async (client) => {
    const { id } = await client.createTask({ organizations: [3, 4], input });
    assert.deepEqual(await client.results(id, { failed: "keep" }), [
      { organization_id: 3, status: "crashed", result: null, reason: "no column x" },
      { organization_id: 4, status: "completed", result: 5 },
    ]);
  });
});

Deno.test("SubtaskClient.results(): a result that cannot be read fails its own part, not the others", async () => {
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": () => [200, { status: "completed" }],
    "GET /run?task_id=40&payload=none": () => [200, {
      data: [
        { id: 1, status: "completed", organization: { id: 3 } },
        { id: 2, status: "completed", organization: { id: 4 } },
      ],
    }],
    "GET /result?task_id=40": () => [200, {
      data: [{ id: 1, result: "no base64!" }, { id: 2, result: encodePayload(5) }],
    }],
  };
  await withClient(script, async (client) => {
    const { id } = await client.createTask({ organizations: [3, 4], input });
    const [bad, good] = await client.results(id, { failed: "keep" });
    assert.deepEqual(good, { organization_id: 4, status: "completed", result: 5 });
    assert.deepEqual([bad!.status, bad!.result], ["failed", null]);
    assert.match(bad!.reason!, /subtask 40 cannot be read/);
    await assert.rejects(client.results(id), /subtask 40 cannot be read/);
  });
});

Deno.test("SubtaskClient.results() takes large results up to a limit, all of them together", async () => {
  const it = startBlobHub();
  const text = JSON.stringify("x".repeat(20 * 2 ** 20));
  const blob = it.add(new TextEncoder().encode(new TextEncoder().encode(text).toBase64()));
  let many = 2;
  it.answer = (_, path) => {
    const ids = Array.from({ length: many }, (_, id) => id);
    const organization = { id: 3 };
    const answers: Record<string, unknown> = {
      "/token/container": { container_token: tokenOf({ sub }) },
      "/task": { id: 40 },
      "/task/40/status?wait=25": { status: "completed" },
      "/run?task_id=40&payload=none": {
        data: ids.map((id) => ({ id, status: "completed", organization })),
      },
      "/result?task_id=40": {
        data: ids.map((id) => ({ id, result: blob, blob_storage_used: true })),
      },
    };
    return Response.json(answers[path]);
  };
  try {
    const client = createSubtaskClient({
      hub: it.hub,
      payloads: createPlainPayloads({ record: () => Promise.resolve() }),
      dispatch,
      log: silentLogger,
      signal: new AbortController().signal,
      whileWaiting: (work) => work(),
      largeTurns: createFairTurns(1),
    });
    const { id } = await client.createTask({ organizations: [3], input });
    let told = 0;
    const beforeLarge = () => Promise.resolve(void told++);
    const lengths = (await client.results(id, { beforeLarge })).map(({ result }) =>
      (result as RawJson).bytes.length
    );
    assert.deepEqual(lengths, [text.length, text.length]);
    assert.equal(told, 1);
    many = 3;
    await assert.rejects(client.results(id), /subtask 40 are larger than the 64 MiB/);
  } finally {
    await it.stop();
  }
});

Deno.test("SubtaskClient.results() passes large results on unread, and says which are no JSON", async () => {
  const bytes = (content: string) => new TextEncoder().encode(content).toBase64();
  const large = `[${"[],".repeat(400_000)}1e999]`;
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": () => [200, { status: "completed" }],
    "GET /run?task_id=40&payload=none": () => [200, {
      data: [1, 2, 3].map((id) => ({ id, status: "completed", organization: { id } })),
    }],
    "GET /result?task_id=40": () => [200, {
      data: [large, `[${large}`, "5"].map((content, index) => ({
        id: index + 1,
        result: bytes(content),
      })),
    }],
  };
  await withClient(script, async (client) => {
    const { id } = await client.createTask({ organizations: [3], input });
    const [one, bad, small] = await client.results(id, { failed: "keep" });
    const textOf = ({ result }: { result: unknown }) =>
      new TextDecoder().decode((result as RawJson).bytes);
    assert.ok(textOf(one!) === large);
    assert.equal(textOf(small!), "5");
    assert.match(bad!.reason!, /subtask 40 cannot be read/);
  });
});

Deno.test("SubtaskClient.results() refuses tasks that this run did not create", async () => {
  await withClient({}, async (client, asked) => {
    await assert.rejects(client.results(12), /Task 12 is not a subtask that this run created/);
    assert.equal(asked.length, 0);
  });
});

Deno.test("SubtaskClient.results() stops asking when the run ends", async () => {
  const script: Script = {
    ...created,
    "GET /task/40/status?wait=25": (_, count) => {
      if (count === 2) stopRun();
      return [200, { status: "active" }];
    },
  };
  let stopRun = () => {};
  await withClient(script, async (client, _, stop) => {
    stopRun = () => stop.abort(new Error("the run is over"));
    const { id } = await client.createTask({ organizations: [3], input });
    await assert.rejects(client.results(id), /the run is over/);
  });
});

Deno.test("CLOSED_CLIENT asks nothing of the hub, whatever the algorithm names, and says why", async () => {
  const input = new TextEncoder().encode("{}");
  for (
    const ask of [
      () => CLOSED_CLIENT.organizations(),
      () => CLOSED_CLIENT.createTask({ organizations: [70425], input, name: "70425" }),
      () => CLOSED_CLIENT.results(70425),
      () => CLOSED_CLIENT.results(5, { failed: "keep" }),
    ]
  ) {
    await assert.rejects(
      ask,
      /^Error: The rules of this site on what may leave let a run that sees/,
    );
  }
});
