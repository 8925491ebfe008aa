import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import {
  type ContainersOfTest,
  LIMITS,
  textOf,
  withContainers,
} from "../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { type EngineBetween, startEngineBetween } from "../../../tests/support/engine_between.ts";
import { hasRun } from "./start_once.ts";

const testEngine = useTestEngine();
const START = /^POST .*\/containers\/\w+\/start/;
/** Leaves a trace of each time that it runs. */
const COUNT = "echo once more >> /mnt/tmp/runs; wc -l < /mnt/tmp/runs > output";

async function withBetween(
  use: (given: ContainersOfTest & { between: EngineBetween; starts(): number }) => Promise<void>,
): Promise<void> {
  const between = await startEngineBetween(testEngine().socket);
  const starts = () => between.seen.filter((line) => START.test(line)).length;
  try {
    await withContainers(testEngine(), (given) => use({ ...given, between, starts }), {
      socket: between.socket,
    });
  } finally {
    await between.stop();
  }
}

Deno.test(containerTest("Containers that end at once are run once each, 50 times"), async () => {
  await withContainers(testEngine(), async ({ run, folder }) => {
    let left = 50;
    async function work(jobId: number) {
      for (let times = 1; left-- > 0; times++) {
        const outcome = await run(COUNT, { jobId });
        const expected = ["completed", `${times}\n`, null];
        assert.deepEqual([outcome.status, outcome.text, outcome.reason], expected);
      }
    }
    await Promise.all([7201, 7202, 7203, 7204].map(work));
    const counts = await Promise.all([7201, 7202, 7203, 7204].map(async (job) => {
      const lines = await Deno.readTextFile(`${folder}/containers/tmp/${job}/runs`);
      return lines.trim().split("\n").length;
    }));
    assert.equal(counts.reduce((sum, count) => sum + count), 50);
  });
});

Deno.test(
  containerTest("startOnce() goes on when the engine says no, or nothing, of a start that was one"),
  async () => {
    await withBetween(async ({ run, start, between, starts }) => {
      const cut = between.hold(START, "answer");
      const starting = start(COUNT);
      await cut.reached();
      cut.drop();
      const outcome = await (await starting).done;
      assert.deepEqual(
        [outcome.status, await textOf(outcome)],
        ["completed", "1\n"],
        outcome.reason ?? "",
      );
      await outcome.release!();
      assert.equal(starts(), 1);

      between.failAnswers(START);
      for (const script of [COUNT, `${COUNT}; sleep 1`]) {
        const other = await run(script);
        assert.deepEqual(
          [other.status, other.text],
          ["completed", "1\n"],
          other.reason ?? "",
        );
      }
      assert.equal(starts(), 3);
    });
  },
);

Deno.test(
  containerTest("startOnce() tries once more when nothing ran, but not when the engine is silent"),
  async () => {
    await withBetween(async ({ start, run, between, starts }) => {
      const lost = between.hold(START, "request");
      const starting = start(COUNT);
      await lost.reached();
      lost.drop();
      const outcome = await (await starting).done;
      assert.equal(outcome.status, "start failed");
      assert.equal(starts(), 1);
      assert.deepEqual(await testEngine().running(), []);

      const { imageId } = await importBroken();
      const broken = await run("", { imageId });
      assert.equal(broken.status, "start failed");
      assert.match(broken.reason!, /not found|no such file/);
      assert.equal(starts(), 3);
      assert.deepEqual(await testEngine().running(), []);
    });
  },
);

/** An image whose command does not exist. */
async function importBroken(): Promise<{ imageId: string }> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/nothing`, "");
  await testEngine().importImage("localhost/sextant-test-broken", folder, [`CMD ["/gone"]`]);
  await Deno.remove(folder, { recursive: true });
  return { imageId: "localhost/sextant-test-broken" };
}

Deno.test(
  containerTest("Containers made but not started when their agent died are lost, never started"),
  async () => {
    await withBetween(async ({ start, again, containers, folder, between, starts }) => {
      const name = "never-1";
      const adoption = {
        name,
        jobId: 7301,
        targets: [],
        limits: LIMITS,
        onLog() {},
        serve: () => () => new Response(),
      };
      const held = between.hold(START, "request");
      const starting = start(COUNT, { name, jobId: 7301 });
      await held.reached();
      const [id] = await testEngine().running();
      assert.equal(await hasRun(testEngine().engine, id!, 0), false);
      await containers.close();
      const next = await again();
      assert.equal(await next.reattach(adoption), undefined);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder}/containers/runs`)), []);
      await waitFor(async () => (await testEngine().running()).length === 0, {
        what: "the container to be gone",
      });
      held.release();
      assert.equal((await (await starting).done).status, "start failed");
      assert.equal(starts(), 1);
    });
  },
);
