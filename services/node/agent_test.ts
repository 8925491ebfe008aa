import assert from "node:assert/strict";
import { ConfigError } from "../../shared/service/config.ts";
import { type LogFields, type Logger, silentLogger } from "../../shared/service/log.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { waitFor } from "../../tests/harness.ts";
import { API_KEY, type HubDouble, startHubDouble } from "../../tests/support/hub_double.ts";
import { type NodeFolder, nodeFolder } from "../../tests/support/node_agent.ts";
import { type Agent, startAgent } from "./agent.ts";
import { readNodeConfig } from "./config/config.ts";
import { WrongKeyError } from "./hub/hub.ts";
import { decodePayload } from "../../tests/support/decode_payload.ts";
import { FolderInUseError } from "./record/data_folder.ts";

const IMAGE = "deno:test@1.0";

interface Place {
  hub: HubDouble;
  folder: NodeFolder;
  /** What the agents said at warn and above. */
  warnings: string[];
  start(): Promise<Agent>;
}

/** A hub, a node's folder, and no agent yet; agents still running at the end are stopped. */
async function withPlace(
  use: (place: Place) => Promise<void>,
  { apiKey = API_KEY, ...options }: { apiKey?: string; [option: string]: unknown } = {},
): Promise<void> {
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, apiKey, options);
  const agents: Agent[] = [];
  const warnings: string[] = [];
  const note = (message: string, fields?: LogFields) =>
    void warnings.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const log: Logger = { ...silentLogger, warn: note, error: note, with: () => log };
  try {
    await use({
      hub,
      folder,
      warnings,
      async start() {
        const agent = await startAgent({
          config: await readNodeConfig(folder.configPath, {}),
          log,
          signal: new AbortController().signal,
          onFailure: (error) => warnings.push(String(error)),
        });
        agents.push(agent);
        return agent;
      },
    });
  } finally {
    for (const agent of agents) await agent.stop();
    await hub.stop();
    await folder.remove();
  }
}

Deno.test("Agent runs what is dispatched and reports the result and the log", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const kwargs = { some: ["value"] };
    const result = await hub.final(
      await hub.post({ image: IMAGE, input: { method: "echo", kwargs } }),
    );
    assert.equal(result.status, "completed", result.reason ?? "");
    assert.deepEqual(decodePayload(result.result!), kwargs);
    assert.match(result.log, /echoing/);
    assert.deepEqual(result.committed, { start: 1, finish: 1 });
    await waitFor(() => hub.logLines.includes("echoing"), { what: "the live log" });
    assert.equal(hub.asked.get("POST /token/container"), undefined);
  });
});

Deno.test("Agent does what was dispatched while it was away", async () => {
  await withPlace(async ({ hub, start }) => {
    const input = { method: "mean", kwargs: { column: "age" } };
    const result = await hub.post({ image: IMAGE, input, databases: ["default"] });
    await start();
    assert.equal(decodePayload((await hub.final(result)).result!), 30);
  });
});

Deno.test("Agent reports how and why a run did not complete", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const echo = { method: "echo", kwargs: {} };
    const cases: [work: Parameters<HubDouble["post"]>[0], status: string, reason: RegExp][] = [
      [{ image: IMAGE, input: { method: "fail" } }, "crashed", /this one fails/],
      [
        { image: IMAGE, input: echo, databases: ["x"] },
        "start failed",
        /no database "x"; .*default/,
      ],
      [{ image: IMAGE, input: "no object" }, "start failed", /must be an object with method/],
      [{ image: IMAGE, input: 0, rawInput: "%" }, "start failed", /must be JSON in base64/],
      [
        { image: IMAGE, input: 0, rawInput: btoa('{"method":"echo","kwargs":{"a":NaN}}') },
        "start failed",
        /NaN or Infinity, which JSON does not have/,
      ],
      [{ image: "deno:none@1.0", input: echo }, "start failed", /none/],
      [{ image: "busybox:1", input: echo }, "not allowed", /busybox:1: it is a container image/],
    ];
    for (const [work, status, reason] of cases) {
      const result = await hub.final(await hub.post(work));
      assert.equal(result.status, status);
      assert.match(`${result.reason} ${result.log}`, reason);
    }
  });
});

Deno.test("Agent refuses by the owner's list without ever starting", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const result = await hub.final(await hub.post({ image: IMAGE, input: { method: "echo" } }));
    assert.equal(result.status, "not allowed");
    assert.match(result.reason!, /not in policies\.allowed_algorithms/);
    assert.equal(result.committed.start, undefined);
  }, { policies: { allowed_algorithms: ["deno:average"] } });
});

Deno.test("Agent fetches and reads no input of what it would not run anyway", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const input = { method: "echo", kwargs: { text: "y".repeat(700_000) } };
    const cases: [work: Parameters<HubDouble["post"]>[0], status: string][] = [
      [{ image: "deno:none@1.0", input }, "start failed"],
      [{ image: IMAGE, input, databases: ["x"] }, "start failed"],
      [{ image: "busybox:1", input }, "not allowed"],
    ];
    for (const [work, status] of cases) {
      const result = await hub.final(await hub.post(work));
      assert.equal(result.status, status);
      assert.equal(hub.asked.get(`GET /run/${result.id}`), undefined, work.image);
    }
  });
});

Deno.test("Agent says that containers are not supported when the owner allows one", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const result = await hub.final(await hub.post({ image: "busybox:1", input: { method: "a" } }));
    assert.equal(result.status, "start failed");
    assert.match(result.reason!, /container/i);
  }, { policies: { allowed_algorithms: "busybox" } });
});

Deno.test("Agent drops a dispatch that the hub did not sign, and an input that was changed", async () => {
  await withPlace(async ({ hub, start, warnings }) => {
    await start();
    const work = { image: IMAGE, input: { method: "echo", kwargs: { a: 1 } } };
    const genuine = hub.dispatchSeed;
    hub.dispatchSeed = newUserKey().seed;
    const forged = await hub.post(work);
    await waitFor(() => warnings.some((line) => /signature is not the hub's/.test(line)), {
      what: "the forged dispatch to be dropped",
    });
    hub.dispatchSeed = genuine;
    const after = await hub.final(await hub.post(work));
    assert.equal(after.status, "completed");
    assert.equal(forged.status, "pending");

    const changed = await hub.post(work);
    changed.input = btoa('{"method":"other"}');
    await hub.final(changed);
    assert.match(changed.reason!, /not the one that it signed/);
  });
});

Deno.test("Agent executes an attempt once, however often it is dispatched", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const starting = hub.hold("start");
    const result = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
    await hub.dispatch(result);
    await starting.reached;
    await hub.dispatch(result);
    starting.release();
    await hub.final(result);
    await hub.dispatch(result);
    const next = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
    await hub.final(next);
    assert.equal(result.committed.start, 1);
    assert.equal(hub.logLines.filter((line) => line === "echoing").length, 2);
  });
});

Deno.test("Agent takes large inputs and sends large results over HTTP", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const text = "y".repeat(700_000);
    const echoed = await hub.final(
      await hub.post({ image: IMAGE, input: { method: "echo", kwargs: { text } } }),
    );
    assert.equal(hub.asked.get(`GET /run/${echoed.id}`), 1);
    assert.deepEqual(decodePayload(echoed.result!), { text });
    const big = await hub.final(
      await hub.post({ image: IMAGE, input: { method: "big", kwargs: { bytes: 5_000_000 } } }),
    );
    assert.equal(hub.asked.get("POST /blobstream"), 2);
    assert.equal((decodePayload(big.result!) as string).length, 5_000_000);
  });
});

Deno.test("Agent uploads a large result again when the hub has swept it meanwhile", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const held = hub.hold("finish");
    const result = await hub.post({
      image: IMAGE,
      input: { method: "big", kwargs: { bytes: 5_000_000 } },
    });
    await held.reached;
    hub.blobs.clear(); // as after a day without the broker
    held.release();
    await hub.final(result);
    assert.equal(result.status, "completed", result.reason ?? "");
    assert.equal((decodePayload(result.result!) as string).length, 5_000_000);
    assert.equal(hub.asked.get("POST /blobstream"), 2);
  });
});

Deno.test("Agent reports a run whose log alone is larger than a message", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    for (const [method, status] of [["wordyFailure", "crashed"], ["wordy", "completed"]] as const) {
      const result = await hub.final(await hub.post({ image: IMAGE, input: { method } }));
      assert.equal(result.status, status, result.reason ?? "");
      assert.match(
        result.log,
        /^word\n[^]*\[The log was cut here: it is too long for a report\.\]\n[^]*word/,
      );
    }
    const uploads = hub.asked.get("POST /blobstream");
    const input = { method: "wordy", kwargs: { bytes: 500_000 } };
    const small = await hub.final(await hub.post({ image: IMAGE, input }));
    assert.equal(small.status, "completed", small.reason ?? "");
    assert.equal((decodePayload(small.result!) as string).length, 500_000);
    assert.match(small.log, /The log was cut here/);
    assert.equal(hub.asked.get("POST /blobstream"), uploads, "no blob because of its log");
  });
});

Deno.test("Agent outlives a log of what takes six times its room in a message", async () => {
  await withPlace(async ({ hub, start, warnings }) => {
    await start();
    const result = await hub.final(await hub.post({ image: IMAGE, input: { method: "control" } }));
    assert.equal(result.status, "completed", result.reason ?? "");
    await waitFor(() => hub.logLines.some((line) => /^\[\d+ more lines\]$/.test(line)), {
      what: "the end of the live log",
    });
    assert.deepEqual(warnings, []);
  });
});

Deno.test("Agent reports a failure in place of a result that the hub will never take", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    hub.largestReport = 1_000_000;
    const input = { method: "big", kwargs: { bytes: 2_000_000 } };
    const big = await hub.final(await hub.post({ image: IMAGE, input }));
    assert.deepEqual([big.status, big.result], ["failed", null]);
    assert.match(big.reason!, /The hub refused the result: The body is too large/);
  });
});

Deno.test("Agent lets a partial run in while the central one that made it waits", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const input = { method: "central", kwargs: { kwargs: { n: 1 } } };
    const centrals = await Promise.all([1, 2, 3].map(() => hub.post({ image: IMAGE, input })));
    for (const central of centrals) {
      const { status, result, reason } = await hub.final(central);
      assert.equal(status, "completed", reason ?? "");
      assert.deepEqual(decodePayload(result!), [
        { organization_id: 3, status: "completed", result: { n: 1 } },
      ]);
    }
  }, { max_runs: 1, max_waiting_runs: 1 });
});

Deno.test("Agent begins no more runs that wait for subtasks than its owner says, and runs subtasks all the same", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const input = { method: "lonely", kwargs: {} };
    const lonely = [];
    for (let n = 0; n < 3; n++) lonely.push(await hub.post({ image: IMAGE, input }));
    const waits = () => hub.logLines.filter((line) => line === "waits").length;
    await waitFor(() => waits() === 2, { what: "as many as may wait" });
    const echo = { image: IMAGE, input: { method: "echo", kwargs: { n: 1 } } };
    const partial = await hub.post({ ...echo, change: { parent_id: 1 } });
    assert.equal((await hub.final(partial)).status, "completed");
    assert.equal(waits(), 2);
    assert.equal(lonely[2]!.committed.start, undefined);
    hub.kill(lonely[0]!);
    await waitFor(() => waits() === 3, { what: "the next one" });
  }, { max_runs: 1, max_waiting_runs: 2 });
});

Deno.test("Agent stops a run that is killed, whether it runs or waits for its turn", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const running = await hub.post({ image: IMAGE, input: { method: "forever" } });
    await waitFor(() => hub.logLines.includes("running"), { what: "the run" });
    const waiting = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
    const last = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
    hub.kill(waiting);
    hub.kill(running);
    await hub.final(last);
    assert.equal(last.status, "completed");
    assert.equal(waiting.committed.start, undefined);
    assert.equal(running.committed.finish, undefined);
  }, { max_runs: 1 });
});

Deno.test("Agent hears after a reconnection that a run was killed meanwhile", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const running = await hub.post({ image: IMAGE, input: { method: "forever" } });
    await waitFor(() => hub.logLines.includes("running"), { what: "the run" });
    running.status = "killed by user";
    await hub.killBroker();
    await hub.startBroker();
    const next = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
    assert.equal((await hub.final(next)).status, "completed");
  }, { max_runs: 1 });
});

Deno.test("Agent survives the loss of the broker at every step of a run", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    for (const step of ["start", "POST /task", "finish", "committed finish"] as const) {
      const held = hub.hold(step);
      const input = { method: "patient", kwargs: { kwargs: {} } };
      const result = await hub.post({ image: IMAGE, input });
      await held.reached;
      await hub.killBroker();
      held.release();
      await hub.startBroker();
      await hub.final(result);
      assert.equal(result.status, "completed", result.reason ?? "");
      assert.equal(result.committed.finish, 1);
      assert.equal(result.attempt, 1);
    }
  });
});

Deno.test("Agent reports a large result when the gateway is back", async () => {
  await withPlace(async ({ hub, start }) => {
    await start();
    const starting = hub.hold("start");
    const big = await hub.post({
      image: IMAGE,
      input: { method: "big", kwargs: { bytes: 2_000_000 } },
    });
    await starting.reached;
    await hub.stopHttp();
    starting.release();
    await waitFor(() => big.status === "active", { what: "the run to start" });
    hub.startHttp();
    assert.equal((await hub.final(big)).status, "completed");
  });
});

Deno.test("Agent renews its credential without losing anything", async () => {
  await withPlace(async ({ hub, start, warnings }) => {
    hub.credentialSeconds = 3;
    await start();
    const ends = [];
    const until = Date.now() + 5000;
    while (Date.now() < until) {
      const result = await hub.post({ image: IMAGE, input: { method: "echo", kwargs: {} } });
      ends.push(await hub.final(result));
    }
    assert.ok(hub.asked.get("POST /token/broker")! >= 3);
    assert.ok(ends.every(({ status, attempt }) => status === "completed" && attempt === 1));
    assert.deepEqual(warnings, []);
  });
});

Deno.test("Agent gives up what runs when it is stopped, and does the next attempt when it is back", async () => {
  await withPlace(async ({ hub, start }) => {
    const agent = await start();
    const held = hub.hold("POST /task");
    const input = { method: "patient", kwargs: { kwargs: {} } };
    const result = await hub.post({ image: IMAGE, input });
    await held.reached;
    await agent.stop();
    assert.deepEqual([result.status, result.attempt], ["pending", 2]);
    held.release();
    await start();
    await hub.final(result);
    assert.deepEqual([result.status, result.attempt], ["completed", 2]);
    assert.deepEqual(result.committed, { start: 2, lost: 1, finish: 1 });
  });
});

Deno.test("Agent gives up when its node is shut out", async () => {
  await withPlace(async ({ hub, start, warnings }) => {
    hub.credentialSeconds = 20;
    await start();
    await hub.shutOut();
    await waitFor(() => warnings.some((line) => /WrongKeyError: .* refuses/.test(line)), {
      what: "the agent to give up",
    });
  });
});

Deno.test("Agent ends when its node was moved to another collaboration, and takes up work there when it is back", async () => {
  await withPlace(async ({ hub, start, warnings }) => {
    const agent = await start();
    hub.collaboration++;
    const result = await hub.post({ image: IMAGE, input: { method: "echo" } });
    await waitFor(
      () => warnings.some((line) => /MovedError: .*from .*"Test" to "Elsewhere"/.test(line)),
      { what: "the agent to end" },
    );
    assert.equal(result.status, "pending");
    await agent.stop();
    await start();
    await hub.final(result);
    assert.equal(result.status, "completed");
  });
});

Deno.test("Agent gives up starting when it is shut out before the broker answers", async () => {
  await withPlace(async ({ hub, start }) => {
    hub.credentialSeconds = 20;
    await hub.killBroker();
    const starting = start();
    await waitFor(() => hub.asked.get("POST /token/broker"), { what: "the first credential" });
    hub.refuseKey();
    await assert.rejects(starting, WrongKeyError);
    await hub.startBroker();
  });
});

Deno.test("Agent refuses to start with a wrong key, with other encryption, or in a folder in use", async () => {
  await withPlace(async ({ start }) => {
    await assert.rejects(start(), WrongKeyError);
  }, { apiKey: crypto.randomUUID() });
  await withPlace(async ({ hub, start }) => {
    hub.encrypted = true;
    await assert.rejects(start(), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /encryption\.enabled is false here, but .*"Test" is encrypted/);
      return true;
    });
    hub.encrypted = false;
    await start();
    await assert.rejects(start(), FolderInUseError);
  });
});
