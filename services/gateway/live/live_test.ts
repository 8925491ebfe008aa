import assert from "node:assert/strict";
import { Hono } from "hono";
import { type OwnNats, startOwnNats } from "../../../tests/support/nats.ts";
import { waitFor } from "../../../tests/harness.ts";
import { type EventData, type EventName, eventSubject } from "../../../shared/messages/events.ts";
import type { AppEnv } from "../../../shared/contract/app.ts";
import { createApp } from "../../../shared/contract/app.ts";
import { routesOf } from "../../../shared/contract/openapi.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { ensureEventStream } from "../../../shared/broker/event_stream.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { watchEvents } from "../routes/event/watch.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { Place } from "./stream.ts";
import type { RecentOptions } from "./recent.ts";

let nats: OwnNats;
let publish: <Name extends EventName>(name: Name, data: EventData<Name>) => Promise<void>;
Deno.test.beforeAll(async () => {
  nats = await startOwnNats();
  const { nc } = await nats.service("task");
  await ensureEventStream(nc);
  publish = async (name, data) => {
    const at = "2026-03-24T10:00:00.000Z";
    await nc.jetstream().publish(eventSubject(name), JSON.stringify({ at, data }));
  };
});
Deno.test.afterAll(() => nats.stop());

function status(
  task_id: number,
  place: { collaboration_id?: number; organization_id?: number; init_org_id?: number } = {},
) {
  return {
    result_id: task_id * 10,
    task_id,
    run_id: 1,
    parent_id: null,
    collaboration_id: 1,
    organization_id: 2,
    init_org_id: 3,
    init_user_id: 4,
    status: "active",
    task_status: "active",
    attempt: 1,
    ...place,
  };
}

function logOf(task_id: number) {
  const { status: _, task_status: __, parent_id: ___, ...log } = status(task_id);
  return log;
}

function user(rules: string[]): Principal {
  return {
    kind: "user",
    id: 4,
    username: "u",
    organization_id: 2,
    rules,
    collaborations: [{ id: 1, organization_ids: [2, 3] }],
  };
}

Deno.test("the live feed is described as what it demands", () => {
  const app = new Hono<AppEnv>();
  watchEvents(app, { feed: {} as Feed, principals: { of: unused } });
  const [route] = routesOf(app);
  assert.deepEqual(route!.access, { kinds: ["user"], permission: "event:RECEIVE" });
});

function unused(): never {
  throw new Error("nobody asks");
}

const WATCHER = user(["event:RECEIVE:COLLABORATION", "run:VIEW:COLLABORATION"]);

interface Heard {
  name: string;
  id: string;
  // deno-lint-ignore no-explicit-any -- whatever its callers pass on
  data: any;
}

interface Watch {
  heard: Heard[];
  comments: number;
  lastId: string | undefined;
  ended: Promise<void>;
  close(): Promise<void>;
}

async function withFeed(
  work: (tools: {
    feed: Feed;
    watch: (who?: () => Principal, lastEventId?: string) => Promise<Watch>;
    app: Hono<AppEnv>;
  }) => Promise<void>,
  kept: RecentOptions = {},
) {
  const { nc } = await nats.service("gateway");
  const feed = createFeed({ nc, log: silentLogger, ...kept });
  let who = () => WATCHER;
  const app = createApp(silentLogger);
  watchEvents(app, {
    feed,
    principals: { of: () => Promise.resolve(who()) },
    heartbeatMs: 50,
    refreshMs: 30,
  });
  const watches: Watch[] = [];
  try {
    await work({
      feed,
      app,
      async watch(principal = () => WATCHER, lastEventId) {
        who = principal;
        const headers = lastEventId ? { "last-event-id": lastEventId } : undefined;
        const response = await app.request("/api/events", headers ? { headers } : {});
        assert.equal(response.status, 200, await (response.ok ? "" : response.text()));
        assert.equal(response.headers.get("content-type"), "text/event-stream");
        const one = follow(response);
        watches.push(one);
        await waitFor(() => one.lastId, { what: "the first line" });
        return one;
      },
    });
  } finally {
    await Promise.all(watches.map((one) => one.close()));
    await feed.stop();
  }
}

function follow(response: Response): Watch {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const watch: Watch = {
    heard: [],
    comments: 0,
    lastId: undefined,
    ended: Promise.resolve(),
    close: async () => {
      await reader.cancel();
      await watch.ended;
    },
  };
  watch.ended = (async () => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const fields = Object.fromEntries(
          text.slice(0, end).split("\n").map((line) => [
            line.slice(0, line.indexOf(":")),
            line.slice(line.indexOf(":") + 1).trim(),
          ]),
        );
        if ("" in fields) watch.comments++;
        if (fields.id) watch.lastId = fields.id;
        if (fields.event) {
          watch.heard.push({ name: fields.event, id: fields.id!, data: JSON.parse(fields.data!) });
        }
      }
    }
  })();
  return watch;
}

Deno.test("the feed tells of tasks, results, log lines and nodes as they happen", async () => {
  await withFeed(async ({ watch }) => {
    const one = await watch();
    const {
      task_id,
      result_id,
      run_id,
      collaboration_id,
      organization_id,
      init_org_id,
      init_user_id,
    } = status(1);
    await publish("task.created", {
      task_id,
      run_id,
      parent_id: null,
      collaboration_id,
      init_org_id,
      init_user_id,
    });
    await publish("result.status", status(1));
    await publish("result.log", {
      result_id,
      task_id,
      run_id,
      collaboration_id,
      organization_id,
      init_org_id,
      init_user_id,
      attempt: 1,
      seq: 0,
      lines: ["hello", "data: x"],
    });
    await publish("node.presence", {
      node_id: 5,
      organization_id: 2,
      collaboration_id: 1,
      status: "offline",
    });
    await publish("user.changed", { user_id: 1, organization_id: 1 });
    await publish("task.deleted", { task_id, collaboration_id, init_org_id, init_user_id });
    await waitFor(() => one.heard.length >= 5, { what: "five events" });
    assert.deepEqual(one.heard.map((event) => event.name), [
      "task.created",
      "result.status",
      "result.log",
      "node.presence",
      "task.deleted",
    ]);
    assert.deepEqual(one.heard[1]!.data, { at: "2026-03-24T10:00:00.000Z", ...status(1) });
    assert.deepEqual(one.heard[2]!.data.lines, ["hello", "data: x"]);
    await waitFor(() => one.comments > 0, { what: "a sign of life" });
  });
});

Deno.test("who comes back with Last-Event-ID misses nothing and hears nothing twice", async () => {
  await withFeed(async ({ watch }) => {
    const one = await watch();
    for (let id = 1; id <= 3; id++) await publish("result.status", status(id));
    await waitFor(() => one.heard.length === 3, { what: "three events" });
    await one.close();
    for (let id = 4; id <= 6; id++) await publish("result.status", status(id));
    const back = await watch(undefined, one.heard[1]!.id);
    await waitFor(() => back.heard.length === 4, { what: "four events" });
    assert.deepEqual(back.heard.map((event) => event.data.task_id), [3, 4, 5, 6]);
  });
});

Deno.test("a gateway that has just started reads what was missed from the stream", async () => {
  let id = "";
  await withFeed(async ({ watch }) => {
    const one = await watch();
    await publish("result.status", status(100));
    await waitFor(() => one.heard.length === 1, { what: "an event" });
    id = one.lastId!;
  });
  for (let task = 101; task <= 700; task++) await publish("result.status", status(task));
  await withFeed(async ({ watch }) => {
    const back = await watch(undefined, id);
    await publish("result.status", status(701));
    await waitFor(() => back.heard.length >= 601, { what: "all events" });
    assert.deepEqual(
      back.heard.map((event) => event.data.task_id),
      Array.from({ length: 601 }, (_, n) => 101 + n),
    );
  });
});

Deno.test("a watcher that falls behind what is in memory is fed from the stream", async () => {
  await withFeed(async ({ feed }) => {
    const start = await feed.now();
    for (let task = 1; task <= 100; task++) await publish("result.status", status(task));
    const seen: number[] = [];
    let place = start;
    await waitFor(async () => (await feed.now()).seq >= start.seq + 100, { what: "the reader" });
    while (seen.length < 100) {
      const batch = await feed.after(place, {
        timeoutMs: 1000,
        signal: new AbortController().signal,
      });
      assert.equal(batch.gap, false);
      place = batch.place;
      for (const { event } of batch.entries) {
        if (event.name === "result.status") seen.push(event.data.task_id);
      }
    }
    assert.deepEqual(seen, Array.from({ length: 100 }, (_, n) => n + 1));
  }, { keep: 10 });
});

Deno.test("large events come whole, in order, and not all at once, from memory and from the stream", async () => {
  const size = 100_000;
  for (const keepBytes of [16 * 2 ** 20, 2 ** 20]) {
    await withFeed(async ({ feed }) => {
      const start = await feed.now();
      for (let seq = 0; seq < 40; seq++) {
        await publish("result.log", { ...logOf(1), seq, lines: ["x".repeat(size)] });
      }
      await waitFor(async () => (await feed.now()).seq >= start.seq + 40, { what: "the reader" });
      const read = (place: Place) =>
        feed.after(place, { timeoutMs: 1000, signal: new AbortController().signal });
      // What is in memory is the same each time; what is read from the stream is made anew.
      const [first, again] = [await read(start), await read(start)];
      assert.equal(first.entries[0] === again.entries[0], keepBytes > 40 * size);
      const seen: number[] = [];
      for (let place = start; seen.length < 40;) {
        const batch = await read(place);
        assert.equal(batch.gap, false);
        place = batch.place;
        for (const { event } of batch.entries) {
          if (event.name === "result.log") seen.push(event.data.seq);
        }
        assert.ok(batch.entries.length <= 6, `${batch.entries.length} large events at once`);
      }
      assert.deepEqual(seen, Array.from({ length: 40 }, (_, n) => n));
    }, { keepBytes });
  }
});

Deno.test("a feed that is stopped ends the streams of who watches, and takes no one new", async () => {
  await withFeed(async ({ app, feed, watch }) => {
    const one = await watch();
    await publish("result.status", status(1));
    await waitFor(() => one.heard.length === 1, { what: "an event" });
    await feed.stop();
    await one.ended;
    const late = await app.request("/api/events");
    assert.equal(late.status, 503);
    await late.body?.cancel();
  });
});

Deno.test("the feed shows each watcher what they may see and no more", async () => {
  const cases: [rules: string[], tasks: number[]][] = [
    [["event:RECEIVE:GLOBAL"], [1, 2, 3, 4]],
    [["event:RECEIVE:COLLABORATION"], [1, 2, 3]],
    [["event:RECEIVE:ORGANIZATION"], [1, 2]],
  ];
  for (const [rules, tasks] of cases) {
    await withFeed(async ({ watch }) => {
      const one = await watch(() => user(rules));
      await publish("result.status", status(1, { organization_id: 2 }));
      await publish("result.status", status(2, { organization_id: 3, init_org_id: 2 }));
      await publish("result.status", status(3, { organization_id: 3 }));
      await publish("result.status", status(4, { collaboration_id: 9, organization_id: 2 }));
      await publish("result.log", { ...status(5), seq: 0, lines: ["secret"] });
      await publish("node.presence", {
        node_id: 5,
        organization_id: 2,
        collaboration_id: 1,
        status: "online",
      });
      await waitFor(() => one.heard.some((event) => event.name === "node.presence"), {
        what: "the end",
      });
      const seen = one.heard.filter((event) => event.name !== "node.presence");
      assert.deepEqual(seen.map((event) => event.data.task_id), tasks, rules[0]!);
    });
  }
});

Deno.test("a watcher whose right is taken away hears nothing more", async () => {
  await withFeed(async ({ watch }) => {
    let principal = WATCHER;
    const one = await watch(() => principal);
    principal = user([]);
    await publish("role.changed", { role_id: 1 });
    await publish("result.status", status(1));
    await one.ended;
    assert.deepEqual(one.heard, []);
  });
});

Deno.test("without the right to receive events, and with an id that is none, the feed refuses", async () => {
  await withFeed(async ({ app, watch }) => {
    const bad = await watch().then(() =>
      app.request("/api/events", { headers: { "last-event-id": "x" } })
    );
    assert.equal(bad.status, 400);
    await bad.body?.cancel();
    await assert.rejects(watch(() => user([])), /permission to receive events/);
  });
});

Deno.test("an id from another stream is answered with a gap", async () => {
  await withFeed(async ({ watch }) => {
    const one = await watch(undefined, "abc-5");
    await waitFor(() => one.heard.length === 1, { what: "the gap" });
    assert.equal(one.heard[0]!.name, "gap");
    await publish("result.status", status(1));
    await waitFor(() => one.heard.length === 2, { what: "what came after" });
  });
});

Deno.test("the feed goes on after the broker was killed", async () => {
  await withFeed(async ({ watch }) => {
    const one = await watch();
    await nats.kill9();
    await nats.start();
    await waitFor(() => publish("result.status", status(1)).then(() => true), {
      what: "the broker",
    });
    await waitFor(() => one.heard.some((event) => event.name === "result.status"), {
      what: "the event",
      timeout: 30_000,
    });
  });
});
