import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { startTestRegistry, type TestRegistry } from "../../../tests/support/registry.ts";
import { createImages, type ImagesOptions } from "./image.ts";
import { ImageError } from "./image_reference.ts";

const testEngine = useTestEngine();
const LOGIN = { username: "clinic", password: "secret-of-the-clinic" };
const { signal } = new AbortController();

function imagesOf(registry: { host: string }, options: Partial<ImagesOptions> = {}) {
  return createImages({
    engine: testEngine().engine,
    logins: [{ registry: registry.host, ...LOGIN }],
    requirePull: true,
    pullTimeoutSeconds: 60,
    log: silentLogger,
    ...options,
  });
}

async function withRegistry(use: (registry: TestRegistry) => Promise<void>): Promise<void> {
  const registry = startTestRegistry(await Deno.readFile(testEngine().shellArchive), LOGIN);
  try {
    await use(registry);
  } finally {
    await registry.stop();
  }
}

/** Listens as a registry would, and never answers. */
function startSilence() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) open.push(connection);
  })();
  return {
    host: `127.0.0.1:${listener.addr.port}`,
    connections: () => open.length,
    async stop() {
      listener.close();
      await accepting;
      for (const one of open) one.close();
    },
  };
}

Deno.test(
  containerTest(
    "createImages() pulls with the owner's log-in, by tag and by digest, and refuses what differs",
  ),
  async () => {
    await withRegistry(async (registry) => {
      const name = `${registry.host}/one`;
      await assert.rejects(
        imagesOf(registry, { logins: [] }).get(`${name}:1`, { signal }),
        ImageError,
      );
      assert.deepEqual(registry.asked, []);

      const mine = imagesOf(registry);
      const [{ id, digest }, same] = await Promise.all([
        mine.get(`${name}:1`, { signal }),
        mine.get(`${name}:1`, { signal }),
      ]);
      assert.match(id, /^(sha256:)?[0-9a-f]{64}$/);
      assert.equal(digest, registry.digest);
      assert.deepEqual(same, { id, digest });
      assert.equal((await mine.get(`${name}@${registry.digest}`, { signal })).id, id);

      const other = `sha256:${"0".repeat(64)}`;
      await assert.rejects(mine.get(`${name}@${other}`, { signal }), /cannot be had/);
      await assert.rejects(mine.get(`${name}:2`, { signal }), /cannot be had/);
    });
  },
);

Deno.test(
  containerTest(
    "createImages() asks the registry once for a job, and not at all for a digest that is there",
  ),
  async () => {
    await withRegistry(async (registry) => {
      const name = `${registry.host}/one`;
      const images = imagesOf(registry);
      const first = await images.get(`${name}:1`, { jobId: 1, signal });
      const asked = registry.asked.length;
      assert.ok(asked > 0);
      for (let runs = 0; runs < 3; runs++) {
        assert.deepEqual(await images.get(`${name}:1`, { jobId: 1, signal }), first);
      }
      const fresh = imagesOf(registry);
      assert.deepEqual(await fresh.get(`${name}@${registry.digest}`, { jobId: 2, signal }), first);
      assert.equal(registry.asked.length, asked);
      await images.get(`${name}:1`, { jobId: 3, signal });
      assert.ok(registry.asked.length > asked, "another job asks anew");

      // Its owner has removed it.
      await testEngine().engine.done("DELETE", `/images/${name}:1`);
      assert.deepEqual(await images.get(`${name}:1`, { jobId: 1, signal }), first);
    });
  },
);

Deno.test(
  containerTest("createImages() remembers a failure for a while, and says when it asks again"),
  async () => {
    await withRegistry(async (registry) => {
      const images = imagesOf(registry);
      const reference = `${registry.host}/one:2`;
      await assert.rejects(images.get(reference, { jobId: 1, signal }), ImageError);
      const asked = registry.asked.length;
      await assert.rejects(
        images.get(reference, { jobId: 2, signal }),
        /it is asked again in \d+ s/,
      );
      assert.equal(registry.asked.length, asked);
    });
  },
);

Deno.test(
  containerTest(
    "createImages() waits a moment for a registry that says nothing when the image is there",
  ),
  async () => {
    const silence = startSilence();
    const { engine } = testEngine();
    const name = `${silence.host}/one`;
    try {
      const here = await imagesOf(silence, { requirePull: false }).get(
        "localhost/sextant-test-shell",
        { signal },
      );
      for (const tag of ["1", "2"]) {
        await engine.done("POST", `/images/${here.id}/tag?repo=${name}&tag=${tag}`);
      }
      const images = imagesOf(silence, { requirePull: false, patienceMs: 1000 });
      const began = performance.now();
      assert.equal((await images.get(`${name}:1`, { jobId: 1, signal })).id, here.id);
      assert.ok(performance.now() - began < 5000);
      const connections = silence.connections();
      assert.ok(connections > 0);
      // Neither the same image nor another one of that registry is waited for again.
      assert.equal((await images.get(`${name}:1`, { jobId: 2, signal })).id, here.id);
      assert.equal((await images.get(`${name}:2`, { jobId: 3, signal })).id, here.id);
      assert.equal(silence.connections(), connections);
      for (const tag of ["1", "2"]) await engine.done("DELETE", `/images/${name}:${tag}`);
    } finally {
      await silence.stop();
    }
  },
);
