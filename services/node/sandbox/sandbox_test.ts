import assert from "node:assert/strict";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { withSandbox } from "../../../tests/support/sandboxed.ts";
import type { SubtaskClient } from "../subtasks/sandbox_client.ts";
import { PROFILES } from "../disclosure/rules.ts";
import { RawJson } from "../payload/raw_json.ts";
import { createSandbox } from "./sandbox.ts";
import { findWalls } from "./walls.ts";

Deno.test("Sandbox gives the algorithm its arguments and its data, and hands back what it returns", async () => {
  await withSandbox(async ({ run, folder }) => {
    await Deno.writeTextFile(`${folder}/a, b.csv`, "age\n20\n40\n", { mode: 0o600 });
    const database = { label: "people", type: "csv" as const, path: `${folder}/a, b.csv` };
    const source = `
      import type { Context } from "./api.ts";
      export function main(context: Context, first: number, { column }: { column: string }) {
        return { first, values: context.table().numeric(column), ü: "😀" };
      }`;
    const outcome = await run(source, {
      args: [7],
      kwargs: { column: "age" },
      databases: [database],
    });
    assert.deepEqual(outcome.value, { first: 7, values: [20, 40], ü: "😀" });
    const text = new TextEncoder().encode(JSON.stringify(outcome.value));
    assert.equal(outcome.result?.size, text.length);
    assert.equal(outcome.result?.sha256, await sha256Hex(text));
    const { status, reason, log } = outcome;
    assert.deepEqual({ status, reason, log }, { status: "completed", reason: null, log: "" });
  });
});

Deno.test("Sandbox runs nothing of an algorithm before its start is noted, and nothing at all if it cannot be", async () => {
  await withSandbox(async ({ start, run }) => {
    const source = `export const main = (context) => { context.log("runs"); return Date.now(); };`;
    const said: string[] = [];
    const noted = Promise.withResolvers<void>();
    const starting = start(source, { noted: noted.promise, onLog: (lines) => said.push(...lines) });
    // As long as another one takes from its start to its end.
    await run(source);
    assert.deepEqual(said, []);
    noted.resolve();
    const { status, log } = await (await starting).done;
    assert.deepEqual({ status, log, said }, { status: "completed", log: "runs", said: ["runs"] });
    const broken = Promise.reject(new Error("the disk is full"));
    broken.catch(() => {});
    await assert.rejects(start(source, { noted: broken }), /the disk is full/);
  });
});

Deno.test("Sandbox reads a call that comes in a file, and says what is wrong with it", async () => {
  await withSandbox(async ({ run }) => {
    const source = `export const main = (context, ...rest) => rest;`;
    const call = { method: "main", args: ["ä😀", 2], kwargs: { three: 3 } };
    const { value } = await run(source, { inputText: JSON.stringify(call) });
    assert.deepEqual(value, ["ä😀", 2, { three: 3 }]);
    assert.deepEqual((await run(source, { inputText: `{"method":"main"}` })).value, [{}]);
    const wrong: [string, RegExp][] = [
      ["{", /^The input cannot be read: it must be JSON in UTF-8, /],
      [`{"method":"main","kwargs":{"x":NaN}}`, /which has no NaN or Infinity\.$/],
      [
        `{"method":"main","args":[9007199254740993]}`,
        /number that a JavaScript number cannot hold/,
      ],
      [`{"method":"main","args":[1e400]}`, /number that a JavaScript number cannot hold/],
      ["null", /^The input must be an object with method, args and kwargs\.$/],
      [`{"method":1}`, /^The input must be an object/],
      [`{"method":"main","args":{}}`, /^The input must be an object/],
      [`{"method":"main","kwargs":[]}`, /^The input must be an object/],
    ];
    for (const [inputText, reason] of wrong) {
      const outcome = await run(source, { inputText });
      assert.equal(outcome.status, "start failed", inputText);
      assert.match(outcome.reason!, reason);
    }
    assert.match(
      (await run(source, { inputText: `{"method":"mian"}` })).reason!,
      /no method "mian".* Did you mean "main"/,
    );
  });
});

Deno.test("Sandbox reads a call that comes as it was sent, over several lines", async () => {
  await withSandbox(async ({ run }) => {
    const source = `export const main = (context, ...rest) => rest;`;
    const callText =
      '\ufeff{\n "method": "main",\r\n "args": ["ä\\n😀", 2],\n "kwargs": {"three": 3}}\n';
    assert.deepEqual((await run(source, { callText })).value, ["ä\n😀", 2, { three: 3 }]);
    assert.deepEqual((await run(source, { callText: `{"method":"main"}` })).value, [{}]);
  });
});

Deno.test("Sandbox hands large results over unread, one after the other", async () => {
  await withSandbox(async ({ run }) => {
    let held = 0;
    const client: SubtaskClient = {
      organizations: () => Promise.resolve([]),
      createTask: () => Promise.reject(new Error("no")),
      async results(taskId, { beforeLarge } = {}) {
        await beforeLarge!();
        held++;
        await new Promise((resolve) => setTimeout(resolve));
        assert.equal(held, 1, "the one before has not gone yet");
        const text = `[\n1e3,\n"${"x".repeat(3_000_000)}"]`;
        const result = new RawJson(new TextEncoder().encode(text));
        setTimeout(() => held--);
        return [{ organization_id: taskId, status: "completed", result }, {
          organization_id: 0,
          status: "completed",
          result: null,
        }];
      },
    };
    const { value, reason } = await run(
      `export async function main(context) {
        const all = await Promise.all([1, 2, 3, 4].map((id) => context.results(id)));
        return all.map(([{ organization_id, result: [number, text] }, second]) =>
          [organization_id, number, text.length, second.result]);
      }`,
      { client },
    );
    assert.equal(reason, null);
    assert.deepEqual(value, [1, 2, 3, 4].map((id) => [id, 1000, 3_000_000, null]));
  });
});

Deno.test("Sandbox calls an algorithm that describes itself as it says, and names what does not fit", async () => {
  await withSandbox(async ({ run }) => {
    const source = `
      const words = { label: "", help: "How often" };
      export const description = { methods: { main: { arguments: {
        times: { type: "integer", min: 1, ...words },
        of: { type: "text", default: "x", ...words },
      } } } };
      export const main = (context, given) => given;
      export const other = (context, ...given) => given;`;
    assert.deepEqual((await run(source, { kwargs: { times: 3 } })).value, { times: 3, of: "x" });
    assert.deepEqual((await run(source, { args: [3, "y"] })).value, { times: 3, of: "y" });
    const other = await run(source, { method: "other", args: [1], kwargs: { a: 2 } });
    assert.deepEqual(other.value, [1, { a: 2 }]);
    for (
      const [kwargs, reason] of [
        [{}, /"times" is missing: how often\./],
        [{ times: 0 }, /"times" must be a whole number of at least 1/],
        [{ times: 1, off: 2 }, /no argument "off"; it has: times, of/],
      ] as const
    ) {
      const outcome = await run(source, { kwargs });
      assert.equal(outcome.status, "start failed");
      assert.match(outcome.reason!, reason);
    }
  });
});

Deno.test("Sandbox refuses conditions on rows, by whatever name, where the owner does not allow them", async () => {
  await withSandbox(async ({ run }) => {
    const source = `
      const words = { label: "", help: "Which rows", optional: true };
      export const description = { methods: { main: { arguments: {
        column: { type: "column", ...words },
        rows: { type: "condition", ...words },
      } } } };
      export const main = (context, given) => given;`;
    const given = { column: "a", rows: "a > 3" };
    assert.deepEqual((await run(source, { kwargs: given })).value, given);
    const strict = { allowWhere: false };
    for (const asked of [{ kwargs: given }, { args: ["a", "a > 3"] }]) {
      const { status, reason } = await run(source, { ...asked, ...strict });
      assert.equal(status, "start failed");
      assert.match(reason!, /does not allow the argument "rows".*policies\.allow_where is false/);
    }
    assert.deepEqual((await run(source, { args: ["a"], ...strict })).value, { column: "a" });
    assert.deepEqual((await run(source, { args: ["a", null], ...strict })).value, { column: "a" });
  });
});

Deno.test("Sandbox hands over a result in pieces without cutting a character", async () => {
  await withSandbox(async ({ run }) => {
    const source = `export const main = () => "x" + "😀".repeat(400_000);`;
    const { value, result } = await run(source);
    assert.ok(value === "x" + "😀".repeat(400_000));
    assert.equal(result!.size, 1_600_003);
  });
});

Deno.test("Sandbox lets an algorithm choose among databases and says what there is", async () => {
  await withSandbox(async ({ run, folder }) => {
    const databases = await Promise.all(["one", "two"].map(async (label) => {
      const path = `${folder}/${label}.csv`;
      await Deno.writeTextFile(path, `${label}\n1\n`);
      return { label, type: "csv" as const, path };
    }));
    const source = `export const main = (context, label) => context.table(label).columns;`;
    assert.deepEqual((await run(source, { args: ["two"], databases })).value, ["two"]);
    const reasonOf = async (args: unknown[], count = 2) =>
      (await run(source, { args, databases: databases.slice(0, count) })).reason;
    assert.match((await reasonOf(["three"]))!, /no database "three"; it has: one, two/);
    assert.match((await reasonOf([undefined]))!, /Name one of the task's databases: one, two/);
    assert.match((await reasonOf([undefined], 0))!, /no database "default"; it has: none/);
  });
});

Deno.test("Sandbox hands on the log as it comes, in order, and keeps it", async () => {
  await withSandbox(async ({ start }) => {
    const lines: string[] = [];
    const handle = await start(
      `export async function main(context) {
        console.log("one %d", 1); console.error("two"); context.log("three", { a: 1 });
        console.warn("four\\nfive"); Deno.stdout.writeSync(new TextEncoder().encode("six"));
        await new Promise(() => setInterval(() => {}, 1000));
      }`,
      { onLog: (some) => lines.push(...some) },
    );
    await waitFor(() => lines.length === 5, { what: "five lines" });
    await handle.kill();
    assert.deepEqual(lines, ["one 1", "two", "three { a: 1 }", "four", "five"]);
    assert.equal((await handle.done).log, [...lines, "six"].join("\n"));
  });
});

Deno.test("Sandbox tells a run where it is, what for, and what the owner has set", async () => {
  await withSandbox(async ({ run }) => {
    const place = {
      organization: { id: 3, name: "Alpha" },
      node: { id: 7, name: "alpha's" },
      task: { id: 5, runId: 4 },
      settings: { smallest_group: 10, labels: ["a", null] },
      disclosure: { profile: "acro" as const, persons: "id", ...PROFILES.acro },
    };
    const source = `export const main = ({ organization, node, task, settings, disclosure }) =>
      ({ organization, node, task, settings, disclosure });`;
    assert.deepEqual((await run(source, { place })).value, place);
  });
});

Deno.test("Sandbox carries several questions about subtasks at once", async () => {
  await withSandbox(async ({ run }) => {
    const created: unknown[] = [];
    let underWay = 0;
    let most = 0;
    const client: SubtaskClient = {
      organizations: () => Promise.resolve([{ id: 1, name: "one" }, { id: 2, name: "two" }]),
      createTask: (task) =>
        Promise.resolve({
          id: created.push({ ...task, input: new TextDecoder().decode(task.input) }),
        }),
      async results(taskId, options) {
        assert.equal(options?.failed, taskId === 4 ? "keep" : undefined);
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 5));
        underWay--;
        if (taskId === 3) throw new Error("Subtask 3 ended as crashed.");
        const result = "x".repeat(taskId === 1 ? 3_000_000 : 1);
        return [{ organization_id: 1, status: "completed", result }];
      },
    };
    const { value, reason } = await run(
      `export async function main(context) {
        const organizations = (await context.organizations()).map(({ id }) => id);
        const input = { method: "part", kwargs: { a: 1 } };
        const tasks = await Promise.all(Array.from({ length: 50 }, (_, i) =>
          context.createTask({ organizations, input, name: "n" + i })));
        const all = await Promise.allSettled(tasks.map(({ id }) =>
          id === 4 ? context.results(id, { failed: "keep" }) : context.results(id)));
        return all.map((each) => each.reason?.message ?? each.value[0].result.length);
      }`,
      { client },
    );
    assert.equal(reason, null);
    assert.equal(created.length, 50);
    assert.deepEqual(created[0], {
      organizations: [1, 2],
      input: `{"method":"part","kwargs":{"a":1}}`,
      name: "n0",
    });
    assert.deepEqual((value as unknown[]).slice(0, 4), [
      3_000_000,
      1,
      "Subtask 3 ended as crashed.",
      1,
    ]);
    assert.ok(most > 1 && most <= 32, `${most} at once`);
  });
});

Deno.test("Sandbox says in the algorithm what is wrong with a subtask", async () => {
  await withSandbox(async ({ run }) => {
    const reasonOf = async (call: string) =>
      (await run(`export const main = (context) => context.${call};`)).reason ?? "";
    const input = `input: { method: "x" }`;
    assert.match(await reasonOf(`createTask({ ${input} })`), /createTask\(\).* organizations: /);
    assert.match(await reasonOf(`createTask({ organizations: [], ${input} })`), /organizations: /);
    assert.match(await reasonOf(`createTask({ organizations: ["1"], ${input} })`), /organizations/);
    assert.match(await reasonOf(`createTask({ organizations: [1], input: {} })`), /input.method: /);
    assert.match(await reasonOf(`createTask({ organizations: [1, 1], ${input} })`), /each once/);
    const losses = [
      ["NaN", "number NaN"],
      ["-1 / 0", "number -Infinity"],
      ["10n", "bigint 10"],
      [
        "new Map()",
        "a Map",
      ],
      ["new Float64Array(2)", "a Float64Array"],
      ["() => 1", "the function"],
    ] as const;
    for (const [value, named] of losses) {
      const kwargs = `kwargs: { start: [1, { beta: ${value} }] }`;
      const task = `{ organizations: [1], input: { method: "x", ${kwargs} } }`;
      const reason = await reasonOf(`createTask(${task})`);
      assert.match(reason, /createTask\(\) cannot take that: input: "beta" is /);
      assert.ok(reason.includes(`${named}, which JSON cannot hold.`), reason);
    }
    const start = "kwargs: { start: [1, undefined], left: undefined }";
    assert.match(
      await reasonOf(`createTask({ organizations: [1], input: { method: "x", ${start} } })`),
      /createTask\(\) cannot take that: input: "1" is undefined, which JSON cannot hold\./,
    );
    assert.match(
      await reasonOf(`results(1, { failed: NaN })`),
      /results\(\) cannot take that: "failed" is the number NaN/,
    );
    assert.match(await reasonOf(`createTask()`), /createTask\(\) cannot take that/);
    assert.match(await reasonOf(`results("1")`), /results\(\) cannot take that/);
  });
});

/** Algorithms that end wrongly by themselves. */
const FAILURES: {
  name: string;
  source: string;
  status: string;
  reason: RegExp;
}[] = [
  {
    name: "cannot be parsed",
    source: "export function main( {",
    status: "start failed",
    reason: /^The algorithm algorithm\.ts cannot be loaded\. .*at algorithm\.ts:1:\d+/s,
  },
  {
    name: "throws while it is loaded",
    source: "throw new Error('no licence');",
    status: "start failed",
    reason: /cannot be loaded\. Error: no licence\n\s+at algorithm\.ts:1:7$/,
  },
  {
    name: "imports a second file",
    source: "import './helper.ts'; export function main() {}",
    status: "start failed",
    reason:
      /cannot be loaded\. TypeError: Requires read access to "helper\.ts"; the sandbox does not.*\nIn the sandbox an algorithm is one file/s,
  },
  {
    name: "has no such method",
    source: "export function mian() {}\nexport const other = 1;",
    status: "crashed",
    reason: /^The algorithm has no method "main"; it has: mian\. Did you mean "mian"\?$/,
  },
  {
    name: "throws an error",
    source:
      "function inner() { throw new TypeError('no good') }\nexport function main() { inner(); }",
    status: "crashed",
    reason:
      /^TypeError: no good\n\s+at inner \(algorithm\.ts:1:26\)\n\s+at main \(algorithm\.ts:2:26\)$/,
  },
  {
    name: "throws something else",
    source: "export async function main() { throw 'just text' }",
    status: "crashed",
    reason: /^just text$/,
  },
  {
    name: "leaves a rejection unhandled",
    source:
      "export async function main() { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1e6)); }",
    status: "crashed",
    reason: /^Error: lost\n\s+at main/,
  },
  {
    name: "throws in a timer",
    source:
      "export async function main() { setTimeout(() => { throw new Error('late') }); await new Promise(() => setInterval(() => {}, 1e6)); }",
    status: "crashed",
    reason: /^Error: late\n\s+at/,
  },
  {
    name: "exits",
    source: "export function main() { Deno.exit(3); }",
    status: "crashed",
    reason: /ended its process with exit code 3 before it returned a result/,
  },
  {
    name: "returns nothing",
    source: "export function main() {}",
    status: "crashed",
    reason: /The result of main cannot be sent\. The method returned nothing/,
  },
  ...Object.entries({
    "NaN": /"part" is the number NaN, which JSON cannot hold/,
    "-Infinity": /"part" is the number -Infinity/,
    "1n": /"part" is the bigint 1/,
    "new Map()": /"part" is a Map/,
    "new Float64Array(1)": /"part" is a Float64Array/,
    "[[1, undefined]]": /"1" is undefined, which JSON cannot hold/,
    "new Array(2)": /"0" is undefined/,
    "() => 1": /"part" is the function/,
    "(() => { const a = {}; a.a = a; return a; })()": /circular/,
  }).map(([value, reason]) => ({
    name: `returns ${value}`,
    source: `export function main() { return { part: ${value} }; }`,
    status: "crashed",
    reason,
  })),
];

for (const { name, source, status, reason } of FAILURES) {
  Deno.test(`Sandbox gives the reason when an algorithm ${name}`, async () => {
    await withSandbox(async ({ run, folder }) => {
      const outcome = await run(source);
      assert.equal(outcome.status, status, outcome.reason ?? "");
      assert.match(outcome.reason!, reason);
      assert.equal(outcome.result, null);
      assert.ok(!outcome.reason!.includes(folder) && !outcome.reason!.includes("/runs/"));
    });
  });
}

Deno.test("Sandbox refuses a database that is not a file of its own", async () => {
  await withSandbox(async ({ run, folder }) => {
    await Deno.writeTextFile(`${folder}/real.columns`, "a\n1\n");
    await Deno.symlink(`${folder}/real.columns`, `${folder}/link.columns`);
    for (
      const [path, reason] of [
        [
          `${folder}/none.columns`,
          /^The database "d" is not there: its file cannot be found or read\.$/,
        ],
        [`${folder}/link.columns`, /^The database "d" is refused: its file is a symbolic link/],
        [folder, /^The database "d" is refused: it is not a regular file\.$/],
      ] as const
    ) {
      const outcome = await run("export const main = () => 1;", {
        databases: [{ label: "d", type: "columns", path }],
      });
      assert.equal(outcome.status, "start failed");
      assert.match(outcome.reason!, reason);
    }
  });
});

Deno.test("createSandbox() refuses a folder that Deno would take for two", async () => {
  const { path, remove } = await temporaryFolder();
  await Deno.mkdir(`${path}/a,b`);
  await assert.rejects(
    createSandbox({ folder: `${path}/a,b`, log: silentLogger }),
    /comma.*Choose another folder/,
  );
  await remove();
});

Deno.test("createSandbox() removes what earlier runs left in its folder, wherever its own are", async () => {
  const { path, remove } = await temporaryFolder();
  const left = `${path}/sandbox/runs/left`;
  for (const mode of [0o711, 0o700]) {
    await Deno.mkdir(left, { recursive: true });
    await Deno.writeTextFile(`${left}/database-0`, "Ada");
    await Deno.chmod(path, mode);
    const sandbox = await createSandbox({ folder: path, log: silentLogger });
    await assert.rejects(Deno.stat(left), Deno.errors.NotFound);
    await sandbox.close();
  }
  await remove();
});

Deno.test("Sandbox says that an algorithm's file is gone", async () => {
  await withSandbox(async ({ run, folder }) => {
    const algorithm = { name: "gone@1.ts", path: `${folder}/gone@1.ts` };
    const outcome = await run("", { algorithm });
    assert.equal(outcome.status, "start failed");
    assert.match(outcome.reason!, /^The algorithm gone@1\.ts is not there/);
  });
});

Deno.test("Sandbox says that it could not start at all, and not why", async () => {
  const errors: unknown[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (...what: unknown[]) => errors.push(what),
    with: () => log,
  };
  await withSandbox(async ({ run }) => {
    const outcome = await run("export const main = () => 1;");
    assert.equal(outcome.status, "start failed");
    assert.match(outcome.reason!, /did not start; the node's own log says why/);
    assert.equal(errors.length, 1);
  }, { deno: "/bin/false", log });
});

Deno.test("Sandbox ends a run that is killed, and leaves nothing of it", async () => {
  await withSandbox(async ({ start, folder }) => {
    const lines: string[] = [];
    const handle = await start(
      `export async function main() { console.log(Deno.pid, Deno.cwd()); for (;;); }`,
      { onLog: (some) => lines.push(...some) },
    );
    const [pid, cwd] = (await waitFor(() => lines[0], { what: "the first line" })).split(" ");
    assert.ok((await Deno.stat(cwd!)).isDirectory);
    await Promise.all([handle.kill(), handle.kill()]);
    const { status, result, reason } = await handle.done;
    assert.deepEqual({ status, result, reason }, {
      status: "killed by user",
      result: null,
      reason: "The run was killed.",
    });
    await assert.rejects(Deno.stat(`/proc/${pid}`), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(cwd!), Deno.errors.NotFound);
    await handle.kill();
    assert.ok((await Deno.stat(folder)).isDirectory);
  });
});

Deno.test("Sandbox keeps a result that came before the kill", async () => {
  await withSandbox(async ({ start }) => {
    const handle = await start("export const main = () => [1];");
    const outcome = await handle.done;
    await handle.kill();
    assert.equal(outcome.status, "completed");
    assert.equal(await Deno.readTextFile(outcome.result!.path), "[1]");
    await outcome.release!();
    await assert.rejects(Deno.stat(outcome.result!.path), Deno.errors.NotFound);
  });
});

Deno.test("Sandbox runs many at once, each with its own data", async () => {
  await withSandbox(async ({ run, folder }) => {
    const values = await Promise.all(Array.from({ length: 12 }, async (_, i) => {
      const path = `${folder}/${i}.csv`;
      await Deno.writeTextFile(path, `a\n${i}\n`);
      const source = `export const main = (context) => context.table().numeric("a")[0];`;
      return (await run(source, { databases: [{ label: "d", type: "csv", path }] })).value;
    }));
    assert.deepEqual(values, Array.from({ length: 12 }, (_, i) => i));
  });
});

Deno.test("Sandbox runs where only root can get at Deno", {
  ignore: (await findWalls()).ownUser === undefined,
}, async () => {
  const { path, remove } = await temporaryFolder();
  await Deno.mkdir(`${path}/private`, { mode: 0o700 });
  const deno = `${path}/private/deno`;
  await Deno.copyFile(Deno.execPath(), deno);
  await withSandbox(async ({ run }) => {
    assert.equal((await run("export const main = () => 1;")).value, 1);
  }, { deno });
  await remove();
});

Deno.test("Sandbox has a runner waiting for the next run", async () => {
  await withSandbox(async ({ run }) => {
    await waitFor(async () => {
      const asked = Date.now();
      const { value } = await run("export const main = () => performance.timeOrigin;");
      return (value as number) < asked;
    }, { what: "a run in a process that was there before" });
  });
});

Deno.test("Sandbox gives a run its own limits, whatever runner waits", async () => {
  await withSandbox(async ({ run }) => {
    const source = `import { getHeapStatistics } from "node:v8";
      export const main = () => getHeapStatistics().heap_size_limit;`;
    const limitOf = async (memoryMiB: number) =>
      (await run(source, { limits: { memoryMiB } })).value;
    const small = await limitOf(1024);
    await waitFor(async () => await limitOf(1024) === small, { what: "some runs" });
    assert.ok((await limitOf(4096) as number) > 4 * (small as number));
    assert.equal(await limitOf(1024), small);
  });
});

function commandOf(pid: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return "";
  }
}

Deno.test("Sandbox starts a run although the waiting runner has died", async () => {
  await withSandbox(async ({ run }) => {
    const { value: runner } = await run("export const main = () => Deno.mainModule;");
    const { pathname } = new URL(runner as string);
    const waiting = await waitFor(
      () =>
        [...Deno.readDirSync("/proc")].find(({ name }) =>
          /^\d+$/.test(name) && commandOf(name).includes(pathname)
        ),
      { what: "the next runner" },
    );
    Deno.kill(Number(waiting.name), "SIGKILL");
    await waitFor(() => Deno.stat(`/proc/${waiting.name}`).then(() => false, () => true), {
      what: "its end",
    });
    assert.equal((await run("export const main = () => 2;")).value, 2);
  });
});

Deno.test("Sandbox removes its files when it is closed", async () => {
  let home = "";
  await withSandbox(async ({ run }) => {
    home = (await run("export const main = () => Deno.mainModule;")).value as string;
    home = new URL("../..", home).pathname;
    assert.ok((await Deno.stat(home)).isDirectory);
  });
  await assert.rejects(Deno.stat(home), Deno.errors.NotFound);
});
