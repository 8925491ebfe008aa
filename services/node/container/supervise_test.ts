import assert from "node:assert/strict";
import { join } from "node:path";
import { waitFor } from "../../../tests/harness.ts";
import {
  type ContainersOfTest,
  LIMITS,
  textOf,
  withContainers,
} from "../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { type EngineBetween, startEngineBetween } from "../../../tests/support/engine_between.ts";
import { createEngine, type Engine, EngineError } from "./engine.ts";
import { stateOf } from "./container_state.ts";

const testEngine = useTestEngine();
const KILL = /^POST .*\/containers\/\w+\/kill/;
const REMOVE = /^DELETE .*\/containers\//;
const INSPECT = /^GET .*\/containers\/\w+\/json$/;

async function withBetween(
  use: (given: ContainersOfTest & { between: EngineBetween }) => Promise<void>,
): Promise<void> {
  const between = await startEngineBetween(testEngine().socket);
  try {
    await withContainers(testEngine(), (given) => use({ ...given, between }), {
      socket: between.socket,
    });
  } finally {
    await between.stop();
  }
}

Deno.test("stateOf() asks again while the engine fails, and takes a refusal", async () => {
  const State = { Status: "exited", Running: false, Pid: 0, ExitCode: 0, OOMKilled: false };
  let asked = 0;
  const engine = (failures: EngineError[]) => ({
    json: () => {
      const failure = failures[asked++];
      return failure ? Promise.reject(failure) : Promise.resolve({ State });
    },
  } as unknown as Engine);
  const broken = new EngineError("read /proc/1/cgroup: no such process", 500);
  assert.equal(await stateOf(engine([broken, broken]), "x") as unknown, State);
  assert.equal(asked, 3);
  asked = 0;
  await assert.rejects(stateOf(engine(Array(9).fill(broken)), "x"), /no such process/);
  asked = 0;
  await assert.rejects(stateOf(engine([new EngineError("gone", 404)]), "x"), /gone/);
  assert.equal(asked, 1);
});

Deno.test(
  containerTest("A container's result is out of reach of who still holds its folder"),
  async () => {
    await withContainers(testEngine(), async ({ start, containers, folder }) => {
      const name = "held-1";
      const outcome = await (await start("echo 1 > output", { name })).done;
      // What another run of the job can do that was given the folder, open.
      const output = join(containers.folderOf(name).io, "output");
      await Deno.writeTextFile(`${folder}/secret`, '"secret"');
      await Deno.remove(output).catch(() => {});
      await Deno.symlink(`${folder}/secret`, output);
      assert.equal(await textOf(outcome), "1\n");
      await outcome.release!();
    });
  },
);

Deno.test(
  containerTest("A result that an agent had taken when it died is the result for the next agent"),
  async () => {
    await withContainers(testEngine(), async ({ start, again, containers }) => {
      const name = "taken-1";
      assert.equal((await (await start("echo 1 > output", { name })).done).status, "completed");
      await containers.close();
      const handle = await (await again()).reattach({
        name,
        jobId: 1,
        targets: [],
        limits: LIMITS,
        onLog() {},
        serve: () => () => new Response(),
      });
      const outcome = await handle!.done;
      assert.deepEqual([outcome.status, await textOf(outcome)], ["completed", "1\n"]);
      await outcome.release!();
    });
  },
);

Deno.test(
  containerTest("A container that somebody kills at the engine is not said to have lacked memory"),
  async () => {
    await withContainers(testEngine(), async ({ start }) => {
      const handle = await start("sleep 60");
      const [id] = await testEngine().running();
      await createEngine(testEngine().socket).done("POST", `/containers/${id}/kill?signal=KILL`);
      const { status, reason, release } = await handle.done;
      assert.equal(status, "crashed");
      assert.match(reason!, /\(exit code 137\): .*, or by somebody at the machine\.$/);
      await release!();
    });
  },
);

Deno.test(
  containerTest("A container that cannot be taken up again is lost, and nothing is left of it"),
  async () => {
    await withContainers(testEngine(), async ({ start, again, containers, folder }) => {
      const name = "lost-1";
      await start("sleep 60", { name });
      await containers.close();
      await Deno.remove(`${folder}/containers/runs/${name}/token`);
      const taken = await (await again()).reattach({
        name,
        jobId: 1,
        targets: [],
        limits: LIMITS,
        onLog() {},
        serve: () => () => new Response(),
      });
      assert.equal(taken, undefined);
      assert.deepEqual(await testEngine().running(), []);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder}/containers/runs`)), []);
    });
  },
);

Deno.test(
  containerTest("A container that ends while its proxy holds a request is reported at once"),
  async () => {
    await withContainers(testEngine(), async ({ start }) => {
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<Response>();
      const { done } = await start(
        "wget -qO- http://127.0.0.1/x & while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done; echo 1 > output",
        {
          serve() {
            asked.resolve();
            return answer.promise;
          },
          jobId: 7401,
          limits: { ...LIMITS, timeoutSeconds: 20 },
        },
      );
      let outcome: Awaited<typeof done> | undefined;
      done.then((one) => outcome = one);
      await asked.promise;
      await (await start("touch /mnt/tmp/go", { jobId: 7401 })).done;
      try {
        await waitFor(() => outcome, { what: "the end of the container" });
      } finally {
        answer.resolve(new Response());
      }
      assert.equal(outcome!.status, "completed", outcome!.reason ?? "");
      await outcome!.release!();
    });
  },
);

Deno.test(
  containerTest("A container is killed however long the engine could not be asked to"),
  async () => {
    await withBetween(async ({ start, between }) => {
      const handle = await start("trap '' TERM INT; while :; do sleep 1; done");
      let tries = 0;
      let isAway = true;
      between.refuse((line) => KILL.test(line) && (tries++, isAway));
      const killed = handle.kill();
      await waitFor(() => tries > 110, { what: "the agent to try on", timeout: 60_000 });
      isAway = false;
      await killed;
      const outcome = await handle.done;
      assert.equal(outcome.status, "killed by user");
      await outcome.release!();
    });
  },
);

Deno.test(
  containerTest("A container that the engine did not remove goes with the next sweep"),
  async () => {
    await withBetween(async ({ start, containers, between }) => {
      const outcome = await (await start("true")).done;
      between.refuse((line) => REMOVE.test(line));
      await outcome.release!();
      assert.equal((await testEngine().running()).length, 1);
      between.refuse(() => false);
      await containers.sweep(() => Promise.resolve(false));
      assert.deepEqual(await testEngine().running(), []);
    });
  },
);

Deno.test(
  containerTest("A container can be taken up again after an attempt at it that failed"),
  async () => {
    const between = await startEngineBetween(testEngine().socket);
    try {
      await withContainers(testEngine(), async ({ start, again, containers, folder }) => {
        const name = "stuck-1";
        await start("while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done; echo 1 > output", {
          name,
          jobId: 7402,
        });
        await containers.close();
        const next = await again(between.socket);
        const reattach = () =>
          next.reattach({
            name,
            jobId: 7402,
            targets: [],
            limits: LIMITS,
            onLog() {},
            serve: () => () => new Response(),
          });
        let inspected = 0;
        // Whether it has run, its ways, and when it was started.
        between.refuse((line) => INSPECT.test(line) && ++inspected === 3);
        await assert.rejects(reattach(), /Cannot reach the container engine/);
        const handle = await reattach();
        await Deno.writeTextFile(`${folder}/containers/tmp/7402/go`, "");
        const outcome = await handle!.done;
        assert.deepEqual([outcome.status, await textOf(outcome)], ["completed", "1\n"]);
        await outcome.release!();
      });
    } finally {
      await between.stop();
    }
  },
);

Deno.test(
  containerTest(
    "A container that is left goes on, and hears nothing of the agent's end but a broken connection",
  ),
  async () => {
    await withContainers(testEngine(), async ({ start, again, containers, folder }) => {
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<Response>();
      const name = "left-1";
      const jobId = 7403;
      const handle = await start(
        "wget -qO- http://127.0.0.1/x > said 2>&1; while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done; " +
          "cp said output",
        {
          name,
          jobId,
          serve() {
            asked.resolve();
            return answer.promise;
          },
        },
      );
      await asked.promise;
      handle.leave!();
      answer.resolve(new Response("failed", { status: 500 }));
      await handle.done;
      await containers.close();
      assert.deepEqual(await testEngine().states(), ["running"]);
      const next = await (await again()).reattach({
        name,
        jobId,
        targets: [],
        limits: LIMITS,
        onLog() {},
        serve: () => () => new Response(),
      });
      await Deno.writeTextFile(`${folder}/containers/tmp/${jobId}/go`, "");
      const outcome = await next!.done;
      assert.equal(outcome.status, "completed", outcome.reason ?? "");
      const said = await textOf(outcome);
      assert.match(said!, /wget/);
      assert.doesNotMatch(said!, /500|failed/);
      await outcome.release!();
    });
  },
);
