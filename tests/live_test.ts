/**
 * What happens while algorithms run, seen from outside: the live feed, logs, kills, time limits,
 * large payloads.
 * @module
 */
import { DATABASE } from "../services/stack/names.ts";
import assert from "node:assert/strict";
import { openDatabase } from "../shared/storage/db.ts";
import { silentLogger } from "../shared/service/log.ts";
import { receive, send, watchMemory } from "./bench/payload.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, decodeResult, encodeInput, type Json, type Site } from "./site.ts";

const stack = useTestStack();
const SLOW = "deno:slow@1.0.0";
const DATA = ["x\n1\n", "x\n2\n"];

interface Heard {
  name: string;
  data: Json;
}

async function listen(site: Site) {
  const response = await site.researcher.request("GET", "/events");
  assert.equal(response.status, 200);
  const heard: Heard[] = [];
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const ended = (async () => {
    for (let text = "";;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const name = /^event: (.*)$/m.exec(text.slice(0, end))?.[1];
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        if (name && data) heard.push({ name, data: JSON.parse(data) });
      }
    }
  })();
  return {
    heard,
    stop: async () => {
      await reader.cancel();
      await ended;
    },
  };
}

Deno.test("the feed shows a run from its creation over its log lines to its end, and the node's presence", async () => {
  const site = await createSite(stack(), { data: DATA });
  const feed = await listen(site);
  try {
    const [member] = site.members;
    await site.startNode(member!);
    const task = await site.post({ image: SLOW, method: "wait", kwargs: { ms: 1500 } });
    await waitFor(() => feed.heard.some((event) => event.name === "result.log"), {
      what: "a line of the log while it runs",
    });
    const [running] = (await site.researcher.get(`/run?task_id=${task.id}`)).data;
    assert.equal(running.status, "active");
    assert.match(running.log, /waiting/);
    const { runs } = await site.outcome(task.id);
    assert.equal(runs[0].log.match(/waiting/g).length, 1);
    await stack().part(`node ${member!.node}`).kill9();
    await waitFor(() => feed.heard.some(({ data }) => data.status === "offline"), {
      what: "the node to be shown offline",
    });
    const of = (name: string) => feed.heard.filter((event) => event.name === name);
    assert.deepEqual(of("result.status").map(({ data }) => data.status), ["active", "completed"]);
    assert.equal(of("task.created")[0]!.data.task_id, task.id);
    assert.deepEqual(of("result.log").flatMap(({ data }) => data.lines), ["waiting"]);
    assert.deepEqual(of("node.presence").map(({ data }) => data.status), ["online", "offline"]);
  } finally {
    await feed.stop();
  }
});

Deno.test("a researcher's kill ends a running algorithm within 2 s and an offline node never starts it", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [present, absent] = site.members;
  await site.startNode(present!);
  const task = await site.post({
    image: SLOW,
    method: "wait",
    kwargs: { ms: 60_000 },
    members: site.members,
  });
  await waitFor(async () => {
    const { data } = await site.researcher.get(`/run?task_id=${task.id}`);
    return data.some((run: Json) => run.status === "active");
  }, { what: "the algorithm to start" });
  const database = openDatabase(stack().adminDatabaseUrl(DATABASE), {
    schema: "task",
    log: silentLogger,
    max: 1,
  });
  try {
    const began = performance.now();
    const answer = await site.researcher.request("POST", "/kill/task", { id: task.id });
    assert.equal(answer.status, 200, await answer.text());
    await waitFor(async () => (await database`select 1 from stop_order`).length === 0, {
      what: "the node to have stopped",
    });
    assert.ok(performance.now() - began < 2000);
    await site.startNode(absent!);
    const probe = await site.post({ image: SLOW, method: "now", members: [absent!] });
    assert.equal((await site.outcome(probe.id)).status, "completed");
    const ran = stack().log.filter((line) => /: Running /.test(line));
    const runs: Json[] = (await site.researcher.get(`/run?task_id=${task.id}`)).data;
    for (const run of runs) assert.equal(run.status, "killed by user");
    const late = runs.find((run) => run.organization.id === absent!.id);
    assert.ok(!ran.some((line) => line.includes(`"result_id":${late.id},`)));
  } finally {
    await database.end();
  }
});

Deno.test("what has not finished within timeout_seconds fails with that reason", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const [member] = site.members;
  await site.startNode(member!);
  const task = await site.researcher.post("/task", {
    image: SLOW,
    collaboration_id: site.collaborationId,
    timeout_seconds: 2,
    organizations: [{
      id: member!.id,
      input: encodeInput({ method: "wait", kwargs: { ms: 60_000 } }),
    }],
    databases: [{ label: "default" }],
  });
  const { status, runs } = await site.outcome(task.id);
  assert.equal(status, "failed");
  assert.match(runs[0].log, /time limit of 2 s/);
});

Deno.test("an uploaded input is computed on, and a download that breaks off does no harm", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const [member] = site.members;
  await site.startNode(member!);
  const { username, password } = site.login;
  const { access_token } = await site.researcher.post("/token/user", { username, password });
  const headers = {
    authorization: `Bearer ${access_token}`,
    "content-type": "application/octet-stream",
  };
  const blobs = `${stack().gatewayUrl}/api/blobstream`;
  const input = encodeInput({
    method: "text",
    kwargs: { length: 2_000_000, ignored: "y".repeat(2_000_000) },
  });
  const uploaded = await (await fetch(blobs, { method: "POST", headers, body: input })).json();
  const task = await site.researcher.post("/task", {
    image: SLOW,
    collaboration_id: site.collaborationId,
    organizations: [{ id: member!.id, input: uploaded.uuid }],
    databases: [{ label: "default" }],
  });
  assert.equal((await site.outcome(task.id)).status, "completed");
  const [result] = (await site.researcher.get(`/result?task_id=${task.id}`)).data;
  assert.equal(result.blob_storage_used, true);
  const broken = await fetch(`${blobs}/${result.result}`, { headers });
  await broken.body!.cancel();
  const whole = await (await fetch(`${blobs}/${result.result}`, { headers })).text();
  assert.equal((decodeResult(whole) as string).length, 2_000_000);
});

Deno.test("an upload that breaks off at the gateway leaves nothing in the database", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const database = openDatabase(stack().adminDatabaseUrl(DATABASE), {
    schema: "task",
    log: silentLogger,
    max: 1,
  });
  const unfinished = async () => (await database`select 1 from blob where size is null`).length;
  try {
    const { username, password } = site.login;
    const { access_token } = await site.researcher.post("/token/user", { username, password });
    const { hostname, port } = new URL(stack().gatewayUrl);
    const line = await Deno.connect({ hostname, port: Number(port) });
    await line.write(
      new TextEncoder().encode(
        "POST /api/blobstream HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n" +
          `Authorization: Bearer ${access_token}\r\nContent-Length: 9000000\r\n\r\n`,
      ),
    );
    const writer = line.writable.getWriter();
    for (let n = 0; n < 30; n++) await writer.write(new Uint8Array(100_000).fill(65));
    await waitFor(async () => await unfinished() === 1, { what: "the upload to begin" });
    line.close();
    await waitFor(async () => await unfinished() === 0, { what: "the rest to be removed" });
    assert.equal(
      (await database`select 1 from blob_chunk
      where blob_id not in (select id from blob)`).length,
      0,
    );
  } finally {
    await database.end();
  }
});

Deno.test("no process grows by 64 MiB with payloads of 150 MiB that go up, down, and both ways at once", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const { username, password } = site.login;
  const { access_token } = await site.researcher.post("/token/user", { username, password });
  const headers = { authorization: `Bearer ${access_token}` };
  const blobs = `${stack().gatewayUrl}/api/blobstream`;
  await send(blobs, headers, 20 * 2 ** 20);
  const size = 150 * 2 ** 20;
  const memory = watchMemory(stack());
  const uuid = await send(blobs, headers, size);
  const down = () => receive(`${blobs}/${uuid}`, headers, size);
  await down();
  await Promise.all([down(), send(blobs, headers, size)]);
  memory.stop();
  for (const [part, mib] of Object.entries(memory.most())) {
    assert.ok(mib < 64, `${part} grew by ${Math.round(mib)} MiB`);
  }
});
