import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { startTestRegistry } from "../../../tests/support/registry.ts";
import { createImages, ImageError } from "./image.ts";

const testEngine = useTestEngine();
const LOGIN = { username: "clinic", password: "secret-of-the-clinic" };

Deno.test(
  containerTest(
    "createImages() pulls with the owner's log-in, by tag and by digest, and refuses what differs",
  ),
  async () => {
    const { engine, shellArchive } = testEngine();
    const registry = startTestRegistry(await Deno.readFile(shellArchive), LOGIN);
    const { signal } = new AbortController();
    const images = (logins: Parameters<typeof createImages>[0]["logins"]) =>
      createImages({
        engine,
        logins,
        requirePull: true,
        pullTimeoutSeconds: 60,
        log: silentLogger,
      });
    try {
      const name = `${registry.host}/one`;
      await assert.rejects(images([]).get(`${name}:1`, signal), ImageError);
      assert.deepEqual(registry.asked, []);

      const mine = images([{ registry: registry.host, ...LOGIN }]);
      const [id, same] = await Promise.all([
        mine.get(`${name}:1`, signal),
        mine.get(`${name}:1`, signal),
      ]);
      assert.match(id, /^(sha256:)?[0-9a-f]{64}$/);
      assert.equal(same, id);
      assert.equal(await mine.get(`${name}@${registry.digest}`, signal), id);

      const other = `sha256:${"0".repeat(64)}`;
      await assert.rejects(mine.get(`${name}@${other}`, signal), /cannot be had/);
      await assert.rejects(mine.get(`${name}:2`, signal), /cannot be had/);
    } finally {
      await registry.stop();
    }
  },
);
