import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { LIMITS, OPTIONS, textOf, withContainers } from "../../../tests/support/contained.ts";
import {
  containerTest,
  SHELL_IMAGE,
  useTestEngine,
} from "../../../tests/support/container_engine.ts";
import { createContainers } from "./containers.ts";
import type { RunSpec } from "./run_spec.ts";
import { createWayOut } from "../hub/way_out.ts";
import { createEngine } from "./engine.ts";
import { ImageError } from "./image_reference.ts";

const testEngine = useTestEngine();

Deno.test(
  containerTest("Containers run an image's own command and take its output and both streams"),
  async () => {
    await withContainers(testEngine(), async ({ run, log }) => {
      const lines: string[] = [];
      const outcome = await run(`echo one; echo two >&2; echo '{"a": 1}' > output; cat token`, {
        onLog: (more) => void lines.push(...more),
      });
      assert.deepEqual([outcome.status, outcome.reason, outcome.text], [
        "completed",
        null,
        '{"a": 1}\n',
      ], log.join());
      assert.deepEqual(outcome.log.split("\n").sort(), ["a.b.c", "one", "two"]);
      assert.deepEqual(lines.sort(), ["one", "two"]);
    });
  },
);

Deno.test(
  containerTest("Containers that end while their proxy has not answered are over all the same"),
  async () => {
    await withContainers(testEngine(), async ({ run }) => {
      const asked = Promise.withResolvers<void>();
      const outcome = await run("wget -qO- http://127.0.0.1/x & sleep 1; echo 1 > output", {
        serve: () => (asked.resolve(), new Promise<Response>(() => {})),
      });
      await asked.promise;
      assert.deepEqual([outcome.status, outcome.text], ["completed", "1\n"], outcome.reason ?? "");
    });
  },
);

Deno.test(containerTest("Containers reach their proxy and nothing else"), async () => {
  await withContainers(testEngine(), async ({ run }) => {
    const outcome = await run(`
      wget -qO- http://127.0.0.1/x
      echo nets: $(ls /sys/class/net) routes: $(($(wc -l < /proc/net/route) - 1))
      nc -w 2 1.1.1.1 80 < /dev/null; nc -w 2 10.88.0.1 22 < /dev/null; true`);
    assert.equal(outcome.status, "completed", outcome.log);
    assert.match(outcome.log, /from the proxy/);
    assert.match(outcome.log, /nets: lo routes: 0/);
    assert.equal(outcome.log.match(/Network is unreachable/g)?.length, 2);
  });
});

Deno.test(
  containerTest(
    "Containers have no capability and see their own files, environment and databases only",
  ),
  async () => {
    await withContainers(testEngine(), async ({ run, folder }) => {
      await Deno.writeTextFile(`${folder}/secret.csv`, "x\n1\n", { mode: 0o600 });
      const database = { label: "default", type: "csv", path: `${folder}/secret.csv`, request: {} };
      const outcome = await run(
        `
      grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status
      cat /mnt/data/default.csv; echo more >> /mnt/data/default.csv || echo cannot write
      ls /mnt/data /mnt; unset PWD; env; touch /mnt/tmp/mine; ulimit -c`,
        {
          databases: [database],
          labels: ["default", "other"],
        },
      );
      const { log } = outcome;
      assert.match(log, /CapEff:\s0{16}\nCapBnd:\s0{16}\nNoNewPrivs:\s1/);
      assert.match(log, /x\n1\n/);
      assert.match(log, /cannot write/);
      assert.match(log, /DEFAULT_DATABASE_URI=F5WW45BP/);
      assert.doesNotMatch(log, /OTHER_DATABASE/);
      assert.equal(log.match(/task-\d{9}/g)!.length, 1);
      assert.equal(await Deno.readTextFile(database.path), "x\n1\n");
    });
  },
);

Deno.test(containerTest("Containers get files by the mount mode, read-only"), async () => {
  await withContainers(testEngine(), async ({ run, folder }) => {
    const path = `${folder}/open.csv`;
    await Deno.writeTextFile(path, "x\n1\n", { mode: 0o644 });
    const databases = (["ro", "copy", undefined] as const).map((mountMode) => ({
      label: mountMode ?? "plain",
      type: "csv",
      path,
      mountMode,
      request: {},
    }));
    const name = "modes-1";
    const { log } = await run(
      `cat /mnt/ro.csv /mnt/data/copy.csv /mnt/data/plain.csv
      for one in /mnt/ro.csv /mnt/data/copy.csv /mnt/data/plain.csv; do
        echo more >> $one || echo cannot write
      done 2>/dev/null
      stat -c %i /mnt/ro.csv /mnt/data/copy.csv /mnt/data/plain.csv`,
      { databases, name },
    );
    const inode = (await Deno.stat(path)).ino;
    const lines = log.split("\n");
    assert.equal(lines.filter((line) => line === "1").length, 3);
    assert.equal(lines.filter((line) => line === "cannot write").length, 3);
    const [ro, copy, plain] = lines.slice(-3).map(Number);
    assert.deepEqual([ro, plain], [inode, inode]);
    assert.notEqual(copy, inode);
  });
});

Deno.test(
  containerTest("Containers find their run's context in a file, where the owner wants it"),
  async () => {
    await withContainers(testEngine(), async ({ run, folder }) => {
      const path = `${folder}/data.csv`;
      await Deno.writeTextFile(path, "x\n1\n");
      const database = {
        label: "default",
        type: "csv",
        path,
        request: { label: "default", query: "q" },
      };
      const outcome = await run("cat $RUN_CONTEXT_FILE > output", {
        resultId: 42,
        databases: [database],
      });
      const own = "/mnt/data/task-000000042";
      assert.deepEqual(JSON.parse(outcome.text), {
        schema_version: "0.1",
        entrypoint: { name: "m" },
        arguments: { positional: [1], named: { a: 2 } },
        executor: { id: 7, kind: "vantage6-node" },
        inputs: [
          { id: "default", uri: "/mnt/data/default.csv", type: "csv", arguments: { query: "q" } },
        ],
        outputs: [{ id: "result", uri: `${own}/output` }],
        "x-vantage6": {
          run_id: 42,
          task_id: 1,
          collaboration_id: 2,
          token_file: `${own}/token`,
          api_proxy: { host: "http://127.0.0.1", port: "80", api_path: "" },
          temporary_directory: "/mnt/tmp",
        },
      });
      const address = { label: "db", type: "sql", uri: "postgresql://db.example/x", request: {} };
      const refused = await run("true", { databases: [address] });
      assert.equal(refused.status, "start failed");
      assert.match(refused.reason!, /"db" is no file/);
    }, { runContext: true });
  },
);

Deno.test(
  containerTest("Containers of one job share a temporary folder that goes when the job is over"),
  async () => {
    await withContainers(testEngine(), async ({ run, containers, folder }) => {
      await run("echo shared > /mnt/tmp/state", { jobId: 7000 });
      assert.match((await run("cat /mnt/tmp/state", { jobId: 7000 })).log, /shared/);
      assert.match((await run("cat /mnt/tmp/state", { jobId: 7001 })).log, /No such file/);
      for (const job of [6999, 7002]) await Deno.mkdir(`${folder}/containers/tmp/${job}`);
      await containers.sweep((job) =>
        job === 6999 || job === 7002
          ? Promise.reject(new Error("nobody knows"))
          : Promise.resolve(job === 7000)
      );
      const left = await Array.fromAsync(Deno.readDir(`${folder}/containers/tmp`));
      assert.deepEqual(left.map(({ name }) => name).sort(), ["6999", "7001", "7002"]);
    });
  },
);

Deno.test(
  containerTest("Containers hand over whatever a run left as its result, also when it crashed"),
  async () => {
    await withContainers(testEngine(), async ({ run, log }) => {
      for (const left of ['{"std": NaN, "range": [-Infinity, Infinity]}', "{", "no JSON"]) {
        for (const [end, status] of [["true", "completed"], ["exit 3", "crashed"]]) {
          const outcome = await run(`echo '${left}' > output; ${end}`);
          assert.deepEqual(
            [outcome.status, outcome.text],
            [status, `${left}\n`],
            `${outcome.reason} ${log}`,
          );
          assert.equal(outcome.result!.size, left.length + 1);
        }
      }
      const killed = await run("echo 1 > output; while :; do sleep 1; done", {
        limits: { ...LIMITS, timeoutSeconds: 1 },
      });
      assert.deepEqual([killed.status, killed.result], ["failed", null]);
    });
  },
);

Deno.test(containerTest("Containers tell how a run failed"), async () => {
  await withContainers(testEngine(), async ({ run, start }) => {
    const cases: [script: string, status: string, reason: RegExp, run?: Partial<RunSpec>][] = [
      ["echo no; exit 3", "crashed", /exit code 3/],
      ["head -c 3000000 /dev/zero > output", "failed", /larger than the 1 MiB/],
      ["sleep 60", "failed", /longer than the 1 seconds/, {
        limits: { ...LIMITS, timeoutSeconds: 1 },
      }],
      ["true", "start failed", /"gone" is not there/, {
        databases: [{ label: "gone", type: "csv", path: "/nowhere.csv", request: {} }],
      }],
      ["true", "start failed", /image/, { imageId: "sha256:" + "0".repeat(64) }],
    ];
    for (const [script, status, reason, options] of cases) {
      const outcome = await run(script, options);
      assert.equal(outcome.status, status, `${script}: ${outcome.reason} ${outcome.log}`);
      assert.match(outcome.reason!, reason);
    }
    assert.match((await run("echo said")).log, /said/);
    const stuck = await start("trap '' TERM INT; while :; do sleep 1; done");
    await stuck.kill();
    assert.equal((await stuck.done).status, "killed by user");
    await (await stuck.done).release?.();
  });
});

Deno.test(
  containerTest("Containers are taken up again by the next agent, and what is left over goes"),
  async () => {
    await withContainers(testEngine(), async ({ start, again, folder, containers }) => {
      const name = "again-1";
      const serve = () => new Response("later");
      await start(
        "echo first; while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done; echo 7 > output; echo second",
        { jobId: 8000, name },
      );
      const leftOver = await start("sleep 60");
      const sockets = await Deno.readTextFile(`${folder}/containers/sockets`);
      assert.ok(await Deno.stat(sockets));
      const next = await again();
      await assert.rejects(Deno.stat(sockets), Deno.errors.NotFound);
      await next.cleanUp((one) => one === name);
      // Whichever it sees first: the end of the program, or that its container is gone.
      assert.match((await leftOver.done).status, /^(crashed|unknown error)$/);
      await containers.close();
      const handle = await next.reattach({
        name,
        jobId: 8000,
        targets: [],
        limits: LIMITS,
        onLog() {},
        serve(token) {
          assert.equal(token, "a.b.c");
          return serve;
        },
      });
      await Deno.writeTextFile(`${folder}/containers/tmp/8000/go`, "");
      const outcome = await handle!.done;
      assert.deepEqual([outcome.status, await textOf(outcome), outcome.log], [
        "completed",
        "7\n",
        "first\nsecond",
      ]);
      await outcome.release!();
      assert.equal(
        await next.reattach({
          name,
          jobId: 1,
          targets: [],
          limits: LIMITS,
          onLog() {},
          serve: () => serve,
        }),
        undefined,
      );
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder}/containers/runs`)), []);
    });
  },
);

Deno.test(
  containerTest(
    "Containers refuse an image that cannot be had, and one that cannot be pulled if the owner says so",
  ),
  async () => {
    const { signal } = new AbortController();
    await withContainers(testEngine(), async ({ containers }) => {
      await assert.rejects(containers.images.get("localhost:1/none:1", { signal }), ImageError);
    });
    const folder = await temporaryFolder();
    const containers = await createContainers({
      engine: createEngine(testEngine().socket),
      folder: folder.path,
      agentId: crypto.randomUUID(),
      options: { ...OPTIONS, requirePull: true },
      wayOut: createWayOut(),
      log: silentLogger,
    });
    await assert.rejects(containers.images.get(SHELL_IMAGE, { signal }), /require_algorithm_pull/);
    await containers.close();
    await folder.remove();
  },
);

Deno.test(containerTest("Containers survive a restart of the engine's service"), async () => {
  await withContainers(testEngine(), async ({ start, folder }) => {
    const seen: string[] = [];
    const script = "echo before; echo aside >&2; while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done; " +
      "echo after; echo 1 > output";
    const handle = await start(script, {
      jobId: 9000,
      onLog: (lines) => void seen.push(...lines),
    });
    await waitFor(() => seen.length === 2, { what: "the first lines" });
    await testEngine().restart();
    await Deno.writeTextFile(`${folder}/containers/tmp/9000/go`, "");
    const outcome = await handle.done;
    assert.equal(outcome.status, "completed", outcome.reason ?? "");
    assert.deepEqual(seen.toSorted(), ["after", "aside", "before"]);
    await waitFor(() => outcome.release!().then(() => true), { what: "the end" });
  });
});
