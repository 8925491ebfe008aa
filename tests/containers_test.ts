/**
 * Container algorithms on the whole system, with a real engine.
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { readNodeConfig } from "../services/node/config/config.ts";
import { runHeld } from "../services/node/disclosure/held_commands.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, decodeResult, type Json, type SiteOptions } from "./site.ts";
import { containerTest, SHELL_IMAGE, useTestEngine } from "./support/container_engine.ts";
import { startTestRegistry } from "./support/registry.ts";

const stack = useTestStack();
const engine = useTestEngine();
const DATA = ["x\n1\n2\n", "x\n3\n"];

function site(options: Partial<SiteOptions> = {}) {
  return createSite(stack(), {
    data: DATA,
    node: {
      container: { socket: engine().socket },
      policies: { allowed_algorithms: [SHELL_IMAGE], require_algorithm_pull: false },
    },
    ...options,
  });
}

Deno.test(containerTest("a container image counts rows at two organizations"), async () => {
  const { members, startNode, post, outcome } = await site();
  for (const member of members) await startNode(member);
  const task = await post({ image: SHELL_IMAGE, method: "partial", members });
  const { status, runs, results } = await outcome(task.id);
  assert.equal(status, "completed", JSON.stringify(runs));
  assert.deepEqual(results, [{ sum: 3, count: 2 }, { sum: 3, count: 1 }]);
  assert.match(runs[0].log, /rows counted/);
});

Deno.test(
  containerTest("a central container makes subtasks and reads their results through its proxy"),
  async () => {
    const { members, startNode, post, outcome } = await site();
    for (const member of members) await startNode(member);
    const { status, runs, results } = await outcome(
      (await post({ image: SHELL_IMAGE, method: "central" })).id,
    );
    const { log } = runs[0];
    assert.equal(status, "completed", log);
    assert.match(log, /status: .*"status":"completed"/);
    assert.match(log, /without a token: .*401/);
    assert.match(log, /another path: .*403/);
    assert.match(log, /blobs: {"blob_store_enabled":false}/);
    const { data, links } = results[0];
    assert.deepEqual(links, {});
    const sums = data.map(({ result }: Json) => decodeResult(result));
    assert.deepEqual(sums.map(({ sum }: Json) => sum), [3, 3]);
  },
);

/** Under the owner's rules on what may leave. */
function ruledSite(disclosure: Record<string, unknown>) {
  return site({
    node: {
      container: { socket: engine().socket },
      policies: { allowed_algorithms: [SHELL_IMAGE], require_algorithm_pull: false },
      disclosure,
    },
  });
}

Deno.test(
  containerTest(
    "what a container returns waits for a person where there are rules on what may leave",
  ),
  async () => {
    const { members: [member], startNode, post, outcome, researcher } = await ruledSite({
      profile: "datashield",
    });
    await startNode(member!);
    const task = await post({ image: SHELL_IMAGE, method: "partial" });
    const run = await waitFor(
      async () =>
        (await researcher.get(`/run?task_id=${task.id}`)).data
          .find((one: Json) => JSON.stringify(one).includes("waiting for release")),
      { what: "the result to be held", timeout: 30_000 },
    );
    const { dataFolder } = await readNodeConfig(member!.config);
    const reason = "two rows";
    const { code, text } = await runHeld({ dataFolder, words: ["refuse", String(run.id)], reason });
    assert.equal(code, 0, text);
    const { status, runs, results } = await outcome(task.id);
    assert.deepEqual([status, results], ["not allowed", [null]]);
    assert.match(runs[0].log, /Refused at release: two rows/);
    assert.doesNotMatch(runs[0].log, /rows counted/, "what it printed stays");
  },
);

Deno.test(
  containerTest("a container that is held makes no subtasks, and says nothing by how it ends"),
  async () => {
    const { members: [member], startNode, post, outcome, admin } = await ruledSite({
      profile: "datashield",
    });
    await startNode(member!);
    const task = await post({ image: SHELL_IMAGE, method: "central" });
    const run = await waitFor(
      async () =>
        (await admin.get(`/run?task_id=${task.id}`)).data
          .find((one: Json) => JSON.stringify(one).includes("waiting for release")),
      { what: "the failure to be held", timeout: 30_000 },
    );
    const { dataFolder } = await readNodeConfig(member!.config);
    const words = ["release", String(run.id)];
    assert.equal((await runHeld({ dataFolder, words, reason: "it failed" })).code, 0);
    const { status, runs } = await outcome(task.id);
    assert.equal(status, "failed");
    assert.match(runs[0].log, /why stays at this site/);
    assert.doesNotMatch(runs[0].log, /exit code|signal/);
    assert.deepEqual((await admin.get(`/task?parent_id=${task.id}`)).data, []);
    const kept = join(dirname(member!.config), "node-data", "kept_words");
    const [{ name }] = await Array.fromAsync(Deno.readDir(kept)) as [Deno.DirEntry];
    // For the owner alone.
    assert.match(await Deno.readTextFile(join(kept, name)), /exit code 1;[^]*403 Forbidden/);
  },
);

Deno.test(
  containerTest("containers do not start under strict rules, and leave as they are where trusted"),
  async () => {
    const strict = await ruledSite({ profile: "strict" });
    await strict.startNode(strict.members[0]!);
    const refused = await strict.outcome(
      (await strict.post({ image: SHELL_IMAGE, method: "partial" })).id,
    );
    assert.equal(refused.status, "not allowed");
    assert.match(refused.runs[0].log, /profile strict\) do not let .* run/);
    const trusting = await ruledSite({ profile: "datashield", trusted: SHELL_IMAGE });
    await trusting.startNode(trusting.members[0]!);
    const { status, results } = await trusting.outcome(
      (await trusting.post({ image: SHELL_IMAGE, method: "partial" })).id,
    );
    assert.equal(status, "completed");
    assert.deepEqual(results, [{ sum: 3, count: 2 }]);
  },
);

Deno.test(
  containerTest("a container that fails, and one that is not there, say so to the researcher"),
  async () => {
    const { members, startNode, post, outcome } = await site({
      data: DATA.slice(0, 1),
      node: {
        container: { socket: engine().socket },
        policies: {
          allowed_algorithms: [SHELL_IMAGE, "localhost:1/none"],
          require_algorithm_pull: false,
        },
      },
    });
    await startNode(members[0]!);
    const failing = await outcome((await post({ image: SHELL_IMAGE, method: "fail" })).id);
    assert.equal(failing.runs[0].status, "crashed");
    assert.match(failing.runs[0].log, /fails on purpose[^]*exit code 3/);
    const missing = await outcome((await post({ image: "localhost:1/none:1", method: "x" })).id);
    assert.equal(missing.runs[0].status, "non-existing Docker image");
    assert.match(missing.runs[0].log, /cannot be had/);
  },
);

Deno.test(
  containerTest(
    "a container gets and returns numbers that JSON does not have, also when it crashes",
  ),
  async () => {
    const { members, startNode, researcher, collaborationId } = await site({
      data: DATA.slice(0, 1),
      node: {
        container: { socket: engine().socket },
        policies: {
          algorithms: [{ name: SHELL_IMAGE, methods: { mirror: {}, mirror_and_crash: {} } }],
          require_algorithm_pull: false,
        },
      },
    });
    await startNode(members[0]!);
    for (const [method, status] of [["mirror", "completed"], ["mirror_and_crash", "crashed"]]) {
      const input = `{"method":"${method}","kwargs":{"upper":Infinity,"x":[NaN,-Infinity]}}`;
      const task = await researcher.post("/task", {
        name: "numbers",
        image: SHELL_IMAGE,
        collaboration_id: collaborationId,
        organizations: [{ id: members[0]!.id, input: btoa(input) }],
      });
      const run = await waitFor(async () => {
        const [run] = (await researcher.get(`/run?task_id=${task.id}`)).data;
        return run.finished_at ? run as Json : undefined;
      }, { what: "the run to end", timeout: 60_000 });
      assert.equal(run.status, status, run.log);
      const [{ result }] = (await researcher.get(`/result?task_id=${task.id}`)).data;
      assert.equal(atob(result), input);
    }
  },
);

Deno.test(
  containerTest("a container goes on while its node is killed and started again, and ends once"),
  async () => {
    const { members, startNode, post, outcome, researcher } = await site({
      data: DATA.slice(0, 1),
    });
    const [member] = members;
    await startNode(member!);
    const task = await post({ image: SHELL_IMAGE, method: "slow" });
    await waitFor(async () => {
      const [run] = (await researcher.get(`/run?task_id=${task.id}`)).data;
      return run.status === "active";
    }, { what: "the container to start" });
    await waitFor(async () => (await engine().states()).includes("running"), {
      what: "the container to run",
    });
    await stack().part(`node ${member!.node}`).kill9();
    await stack().part(`node ${member!.node}`).restart();
    const { status, runs, results } = await outcome(task.id);
    assert.equal(status, "completed", JSON.stringify(runs));
    assert.equal(runs[0].attempt, 1);
    assert.deepEqual(results, [{ slow: true }]);
    await waitFor(() => engine().running().then((names) => names.length === 0), {
      what: "the container to be removed",
    });
    const shared = join(dirname(member!.config), "node-data/containers/tmp");
    assert.deepEqual((await Array.fromAsync(Deno.readDir(shared))).length, 1);
    await stack().part(`node ${member!.node}`).restart();
    await waitFor(async () => (await Array.fromAsync(Deno.readDir(shared))).length === 0, {
      what: "the folder of a job that is over to be removed",
    });
  },
);

Deno.test(
  containerTest(
    "a container reaches the database at an address that its task asks for, and no other",
  ),
  async () => {
    const servers = ["warehouse", "secret"].map((name) => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      (async () => {
        for await (const connection of listener) {
          await connection.write(new TextEncoder().encode(name)).catch(() => {});
          connection.close();
        }
      })();
      return { name, listener, port: (listener.addr as Deno.NetAddr).port };
    });
    try {
      const { members, startNode, post, outcome } = await site({
        data: DATA.slice(0, 1),
        node: {
          container: { socket: engine().socket },
          policies: { allowed_algorithms: [SHELL_IMAGE], require_algorithm_pull: false },
          databases: servers.map(({ name, port }) => ({
            label: name,
            type: "sql",
            uri: `postgresql://reader:p@localhost:${port}/research`,
          })),
        },
      });
      await startNode(members[0]!);
      for (const { name, port } of servers) {
        for (const databases of [["warehouse"], []]) {
          const task = { image: SHELL_IMAGE, method: "ask", kwargs: { port }, databases };
          const { status, results } = await outcome((await post(task)).id);
          const heard = databases.includes(name) ? name : "";
          assert.deepEqual([status, results], ["completed", [{ heard }]]);
        }
      }
    } finally {
      for (const { listener } of servers) listener.close();
    }
  },
);

Deno.test(containerTest("a container is gone when its task is killed"), async () => {
  const { members, startNode, post, outcome, researcher } = await site({ data: DATA.slice(0, 1) });
  await startNode(members[0]!);
  const task = await post({ image: SHELL_IMAGE, method: "forever" });
  await waitFor(() => engine().running().then((names) => names.length === 1), {
    what: "the container to run",
  });
  await researcher.post("/kill/task", { id: task.id });
  assert.equal((await outcome(task.id)).runs[0].status, "killed by user");
  await waitFor(() => engine().running().then((names) => names.length === 0), {
    what: "the container to be removed",
  });
});

Deno.test(containerTest("a slow pull keeps no other run from computing"), async () => {
  const gate = Promise.withResolvers<void>();
  const login = { username: "clinic", password: "secret-of-the-clinic" };
  const layer = await Deno.readFile(engine().shellArchive);
  const registry = startTestRegistry(layer, { ...login, gate: gate.promise });
  try {
    const image = `${registry.host}/one:1`;
    const { members, startNode, post, outcome } = await site({
      data: DATA.slice(0, 1),
      node: {
        container: { socket: engine().socket },
        max_runs: 1,
        docker_registries: [{ registry: registry.host, ...login }],
        policies: { allowed_algorithms: [image, "deno:average"] },
      },
    });
    await startNode(members[0]!);
    const slow = await post({ image, method: "partial" });
    await waitFor(() => registry.asked.some((path) => path.includes("/blobs/")), {
      what: "the pull",
    });
    const quick = { image: "deno:average@1.0.0", method: "central", kwargs: { column: "x" } };
    assert.equal((await outcome((await post(quick)).id)).status, "completed");
    gate.resolve();
    const { status, results } = await outcome(slow.id);
    assert.deepEqual([status, results], ["completed", [{ sum: 3, count: 2 }]]);
  } finally {
    gate.resolve();
    await registry.stop();
  }
});
