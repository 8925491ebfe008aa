/**
 * The agent as a process, killed with -9 at every step of a container's life, on a real engine: it
 * runs exactly once.
 */
import assert from "node:assert/strict";
import { waitFor } from "../../tests/harness.ts";
import { containerTest, SHELL_IMAGE, useTestEngine } from "../../tests/support/container_engine.ts";
import { type EngineBetween, startEngineBetween } from "../../tests/support/engine_between.ts";
import {
  API_KEY,
  type HeldResult,
  type HubDouble,
  startHubDouble,
} from "../../tests/support/hub_double.ts";
import {
  type AgentProcess,
  nodeFolder,
  startAgentProcess,
} from "../../tests/support/node_agent.ts";
import { startTestRegistry } from "../../tests/support/registry.ts";
import { decodePayload } from "../../tests/support/decode_payload.ts";

const engine = useTestEngine();
const START = /^POST .*\/containers\/\w+\/start/;
const REMOVE = /^DELETE .*\/containers\//;
const login = { username: "clinic", password: "secret-of-the-clinic" };

interface Site {
  hub: HubDouble;
  between: EngineBetween;
  startAgent(args?: string[]): Promise<AgentProcess>;
  /** Dispatches a run that counts how often it is run and waits for a sign. */
  post(image?: string): Promise<HeldResult>;
  /** Gives the sign. */
  go(): Promise<void>;
  /** How often it was run, by its own count. */
  runs(): Promise<number>;
  /** Waits until it is run. */
  isRun(): Promise<unknown>;
  /** Waits for its end, which is to be right and the only one. */
  completes(result: HeldResult, attempt: number): Promise<void>;
}

async function withSite(use: (site: Site) => Promise<void>, registry?: string): Promise<void> {
  const hub = await startHubDouble();
  const between = await startEngineBetween(engine().socket);
  const folder = await nodeFolder(hub, API_KEY, {
    container: { socket: between.socket },
    policies: {
      allowed_algorithms: [SHELL_IMAGE, `${registry}/one:1`],
      require_algorithm_pull: registry !== undefined,
    },
    ...(registry ? { docker_registries: [{ registry, ...login }] } : {}),
  });
  const shared = `${folder.path}/node-data/containers/tmp/1`;
  const agents: AgentProcess[] = [];
  const runs = async () => {
    const lines = await Deno.readTextFile(`${shared}/runs`).catch(() => "");
    return lines.split("\n").length - 1;
  };
  try {
    await use({
      hub,
      between,
      runs,
      isRun: () => waitFor(async () => await runs() > 0, { what: "a run", timeout: 40_000 }),
      async startAgent(args = []) {
        const agent = startAgentProcess(folder.configPath, { args });
        agents.push(agent);
        await agent.ready;
        return agent;
      },
      post: (image = SHELL_IMAGE) => hub.post({ image, input: { method: "count" } }),
      go: () => Deno.writeTextFile(`${shared}/go`, ""),
      async completes(result, attempt) {
        await hub.final(result);
        assert.deepEqual([result.status, result.attempt], ["completed", attempt], result.reason!);
        assert.equal(result.committed.finish, 1);
        assert.equal(result.committed.lost ?? 0, attempt - 1);
        assert.deepEqual(decodePayload(result.result!), { runs: 1 });
        // Its count is in the job's folder, which goes when the job is over.
        assert.ok(await runs() <= 1);
        await waitFor(async () => (await engine().running()).length === 0, {
          what: "the container to be removed",
          timeout: 30_000,
        });
      },
    });
  } catch (error) {
    console.log(agents.flatMap(({ lines }) => lines).join("\n"));
    throw error;
  } finally {
    for (const agent of agents) await agent.kill9();
    for (const id of await engine().running()) {
      await engine().engine.done("DELETE", `/containers/${id}?force=true`).catch(() => {});
    }
    await between.stop();
    await hub.stop();
    await folder.remove();
  }
}

Deno.test(
  containerTest("Agent killed during a pull runs the container when it is back"),
  async () => {
    const gate = Promise.withResolvers<void>();
    const layer = await Deno.readFile(engine().shellArchive);
    const registry = startTestRegistry(layer, { ...login, gate: gate.promise });
    try {
      await withSite(async ({ startAgent, post, go, isRun, completes }) => {
        const agent = await startAgent();
        const result = await post(`${registry.host}/one:1`);
        await waitFor(() => registry.asked.some((path) => path.includes("/blobs/")), {
          what: "the pull",
        });
        assert.equal(result.committed.start, undefined, "it waits, and is not active");
        await agent.kill9();
        gate.resolve();
        await startAgent();
        await isRun();
        await go();
        await completes(result, 1);
      }, registry.host);
    } finally {
      gate.resolve();
      await registry.stop();
    }
  },
);

Deno.test(
  containerTest("Agent killed between a container's making and its start does the next attempt"),
  async () => {
    await withSite(async ({ startAgent, post, between, go, isRun, completes }) => {
      const agent = await startAgent();
      const held = between.hold(START, "request");
      const result = await post();
      await held.reached();
      assert.equal((await engine().states()).length, 1);
      await agent.kill9();
      held.drop();
      await startAgent();
      await isRun();
      await go();
      await completes(result, 2);
    });
  },
);

Deno.test(
  containerTest("Agent killed before it hears that a container was started takes it up again"),
  async () => {
    await withSite(async ({ startAgent, post, between, go, isRun, completes }) => {
      const agent = await startAgent();
      const held = between.hold(START, "answer");
      const result = await post();
      await held.reached();
      await isRun();
      await agent.kill9();
      held.drop();
      await startAgent();
      await go();
      await completes(result, 1);
    });
  },
);

Deno.test(containerTest("Agent killed while a container runs takes it up again"), async () => {
  await withSite(async ({ startAgent, post, go, isRun, completes }) => {
    const result = await post();
    for (let times = 0; times < 2; times++) {
      const agent = await startAgent();
      await isRun();
      await agent.kill9();
    }
    await startAgent();
    await go();
    await completes(result, 1);
  });
});

Deno.test(containerTest("Agent that is stopped leaves a container to the next one"), async () => {
  await withSite(async ({ startAgent, post, go, isRun, completes }) => {
    const result = await post();
    for (let times = 0; times < 2; times++) {
      const agent = await startAgent();
      await isRun();
      agent.signal("SIGTERM");
      assert.equal((await agent.exited).code, 0);
      assert.deepEqual(await engine().states(), ["running"]);
      assert.deepEqual([result.status, result.attempt], ["active", 1]);
    }
    // It ends while there is no agent.
    await go();
    await waitFor(async () => (await engine().states()).every((state) => state === "exited"), {
      what: "the container to end",
      timeout: 30_000,
    });
    await startAgent();
    await completes(result, 1);
  });
});

Deno.test(
  containerTest("Agent that is stopped with --kill-runs ends a container, and the hub hears so"),
  async () => {
    await withSite(async ({ hub, startAgent, post, go, isRun }) => {
      const agent = await startAgent(["--kill-runs"]);
      const result = await post();
      await isRun();
      agent.signal("SIGTERM");
      assert.equal((await agent.exited).code, 0);
      assert.deepEqual(await engine().states(), []);
      assert.deepEqual([result.status, result.attempt], ["pending", 2]);
      await startAgent();
      await go();
      await hub.final(result);
      assert.deepEqual([result.status, result.attempt], ["completed", 2]);
    });
  },
);

Deno.test(
  containerTest("Agent killed when a container has ended and it does not know yet reports its end"),
  async () => {
    await withSite(async ({ startAgent, post, go, isRun, completes }) => {
      const agent = await startAgent();
      const result = await post();
      await isRun();
      agent.signal("SIGSTOP");
      await go();
      await waitFor(async () => (await engine().states()).every((state) => state === "exited"), {
        what: "the container to end",
        timeout: 30_000,
      });
      await agent.kill9();
      await startAgent();
      await completes(result, 1);
    });
  },
);

Deno.test(
  containerTest("Agent killed when a result is in the journal and its container not removed yet"),
  async () => {
    await withSite(async ({ startAgent, post, between, go, isRun, completes }) => {
      const agent = await startAgent();
      const result = await post();
      await isRun();
      const held = between.hold(REMOVE, "request");
      await go();
      await held.reached();
      assert.equal(result.committed.finish, undefined);
      await agent.kill9();
      held.drop();
      assert.equal((await engine().states()).length, 1);
      await startAgent();
      await completes(result, 1);
    });
  },
);

Deno.test(
  containerTest("Agent killed before the report of a container was committed reports it again"),
  async () => {
    for (const point of ["finish", "committed finish"] as const) {
      await withSite(async ({ hub, startAgent, post, go, isRun, completes }) => {
        const agent = await startAgent();
        const held = hub.hold(point);
        const result = await post();
        await isRun();
        await go();
        await held.reached;
        await agent.kill9();
        held.drop();
        await startAgent();
        await completes(result, 1);
      });
    }
  },
);
