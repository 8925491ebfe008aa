import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { memoryUsed } from "../../../tests/support/memory.ts";
import { withSandbox } from "../../../tests/support/sandboxed.ts";
import type { Outcome } from "../run/runtime.ts";
import { createSandbox } from "./sandbox.ts";
import { findWalls } from "./walls.ts";

const walls = await findWalls();
const MIB = 2 ** 20;

interface Hostile {
  name: string;
  /** The body of the method. */
  body: string;
  expected: (outcome: Outcome) => void;
  limits?: { timeoutSeconds?: number; memoryMiB?: number; outputMiB?: number };
  ignore?: boolean;
}

function ended(status: Outcome["status"], reason: RegExp) {
  return (outcome: Outcome) => {
    assert.equal(outcome.status, status, outcome.reason ?? "");
    assert.match(outcome.reason ?? "", reason);
    assert.equal(outcome.result, null);
  };
}

function completedWithCutLog(outcome: Outcome) {
  assert.equal(outcome.status, "completed", outcome.reason ?? "");
  assert.ok(outcome.log.length < 1.1 * MIB);
  assert.match(
    outcome.log,
    /The log was cut here: the node keeps 1048576 bytes of it; \d+ bytes are missing/,
  );
}

const write = (text: string) => `Deno.stdout.writeSync(new TextEncoder().encode(${text}));`;
const outOfMemory = /ran out of memory/;

const HOSTILE: Hostile[] = [
  {
    name: "loops for ever",
    body: "for (;;);",
    limits: { timeoutSeconds: 1 },
    expected: ended("failed", /^The run took longer than the 1 seconds that this node gives it\.$/),
  },
  {
    name: "loops for ever and ignores every signal",
    body: `for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGXCPU"]) {
        try { Deno.addSignalListener(name, () => {}); } catch {}
      }
      for (;;);`,
    limits: { timeoutSeconds: 1 },
    expected: ended("failed", /took longer than/),
  },
  {
    name: "waits for ever",
    body: "await new Promise(() => {});",
    limits: { timeoutSeconds: 1 },
    expected: ended("failed", /took longer than/),
  },
  {
    name: "takes 4 GB in buffers",
    body:
      "const all = []; for (let i = 0; i < 64; i++) all.push(new Uint8Array(64 << 20).fill(1));",
    limits: { memoryMiB: 1024 },
    ignore: !walls.prlimit,
    expected: ended("crashed", outOfMemory),
  },
  {
    name: "takes 4 GB in one buffer",
    body: "new Uint8Array(4 * 2 ** 30).fill(1);",
    limits: { memoryMiB: 1024 },
    ignore: !walls.prlimit,
    expected: ended("crashed", outOfMemory),
  },
  {
    name: "fills the heap with objects",
    body: "const all = []; for (;;) all.push(new Array(1000).fill({}));",
    limits: { memoryMiB: 1024 },
    expected: ended("crashed", outOfMemory),
  },
  {
    name: "makes more and more workers",
    body: `for (;;) {
        const worker = new Worker("data:text/javascript,postMessage(1);for(;;);", { type: "module" });
        await new Promise((resolve) => worker.onmessage = resolve);
      }`,
    limits: { memoryMiB: 1024, timeoutSeconds: 20 },
    ignore: !walls.prlimit,
    expected: (outcome) => assert.ok(["crashed", "failed"].includes(outcome.status)),
  },
  {
    name: "prints 1 GB without a line break",
    body: `const piece = "x".repeat(${MIB}); for (let i = 0; i < 1024; i++) ${
      write("piece")
    } return 1;`,
    expected: completedWithCutLog,
  },
  {
    name: "prints 200 MB of line breaks",
    body: `const piece = "\\n".repeat(${MIB}); for (let i = 0; i < 200; i++) ${
      write("piece")
    } return 1;`,
    expected: completedWithCutLog,
  },
  {
    name: "prints 200 MB to standard error",
    body: `const piece = new Uint8Array(${MIB}).fill(65);
      for (let i = 0; i < 200; i++) Deno.stderr.writeSync(piece);
      return 1;`,
    expected: completedWithCutLog,
  },
  {
    name: "returns more than the node lets out",
    body: `return "x".repeat(9 * ${MIB});`,
    expected: ended(
      "failed",
      /^The result is too large: more than 8.\d MiB of JSON, .* at most 8 MiB\.$/,
    ),
  },
  {
    name: "returns more than a text can hold",
    body: `return Array(100).fill("x".repeat(100 * ${MIB}));`,
    expected: ended("crashed", /cannot be sent|ran out of memory/),
  },
  {
    name: "announces a result of 1 PB",
    body: `${write(`'\\x1e{"is":"result","bytes":1e15}\\n'`)} for (;;);`,
    expected: ended("failed", /The result is too large/),
  },
  {
    name: "writes a frame that never ends",
    body: `${write(`"\\x1e"`)} const piece = "x".repeat(${MIB}); for (;;) ${write("piece")}`,
    expected: ended("failed", /asked for something in more than 0\.3 MiB/),
  },
  {
    name: "asks in frames that take many times their bytes when they are read",
    body: `const junk = "[],".repeat(5 * ${MIB});
      for (let id = 0; id < 32; id++) {
        ${
      write(
        `'\\x1e{"is":"call","id":' + id + ',"what":"results","input":{"taskId":1,"junk":[' + junk + '0]}}\\n'`,
      )
    }
      }
      for (;;);`,
    expected: ended("failed", /asked for something in more than 0\.3 MiB/),
  },
  {
    name: "asks in many small frames that take many times their bytes when they are read",
    body: `const junk = "[],".repeat(85_000);
      for (let id = 0; id < 32; id++) {
        ${
      write(
        `'\\x1e{"is":"call","id":' + id + ',"what":"results","input":{"taskId":1,"junk":[' + junk + '0]}}\\n'`,
      )
    }
      }
      for (;;);`,
    limits: { timeoutSeconds: 4 },
    expected: ended("failed", /took longer than the 4 seconds/),
  },
  {
    name: "makes many subtasks with large inputs at once",
    body: `const input = { method: "m", args: ["x".repeat(15 * ${MIB})] };
      await Promise.all(Array.from({ length: 32 }, () => context.createTask({ organizations: [1], input })));`,
    limits: { timeoutSeconds: 4 },
    expected: ended("failed", /took longer than the 4 seconds/),
  },
  {
    name: "writes what is no frame",
    body: `${write(`"\\x1e{}\\n"`)} for (;;);`,
    expected: ended("failed", /looks like a message of its runner, but is none/),
  },
  {
    name: "forges a result that is not JSON",
    body: `${write(`'\\x1e{"is":"result","bytes":3}\\n{a}'`)} for (;;);`,
    expected: ended("crashed", /output is not JSON, which .* sandbox must/),
  },
  {
    name: "forges a result that is not UTF-8",
    body: `${write(`'\\x1e{"is":"result","bytes":3}\\n'`)}
      Deno.stdout.writeSync(new Uint8Array([34, 255, 34])); for (;;);`,
    expected: ended("crashed", /output is not JSON, which .* sandbox must/),
  },
  {
    name: "dies while it hands over its result",
    body: `${write(`'\\x1e{"is":"result","bytes":30}\\n[1'`)} Deno.exit(0);`,
    expected: ended("crashed", /exit code 0 before it returned a result/),
  },
  {
    name: "asks for more than it may at once",
    body: `for (let id = 0; id < 100; id++) {
        ${write(`'\\x1e{"is":"call","id":' + id + ',"what":"results","input":1}\\n'`)}
      }
      for (;;);`,
    expected: ended("failed", /asked for too much at once/),
  },
  {
    name: "breaks what its runner stands on",
    body:
      `JSON.stringify = () => "{"; Deno.exit = () => {}; TextEncoder.prototype.encode = () => null;
      return 1;`,
    limits: { timeoutSeconds: 2 },
    expected: (outcome) => assert.notEqual(outcome.status, "completed"),
  },
  {
    name: "throws an error whose text is huge",
    body: `throw new Error("x".repeat(10 * ${MIB}));`,
    expected: (outcome) => {
      assert.equal(outcome.status, "crashed");
      assert.ok(outcome.reason!.length < 9000);
    },
  },
];

for (const { name, body, expected, limits = {}, ignore = false } of HOSTILE) {
  Deno.test(`Sandbox stays in charge of an algorithm that ${name}`, { ignore }, async () => {
    await withSandbox(async ({ run }) => {
      const before = memoryUsed();
      let most = before;
      const watch = setInterval(() => most = Math.max(most, memoryUsed()), 20);
      const client = {
        organizations: () => Promise.resolve([]),
        createTask: () => new Promise<never>(() => {}),
        results: () => new Promise<never>(() => {}),
      };
      const outcome = await run(`export async function main(context) { ${body} }`, {
        limits: { timeoutSeconds: 120, ...limits },
        client,
      });
      clearInterval(watch);
      expected(outcome);
      const growth = Math.round((most - before) / MIB);
      assert.ok(growth < 100, `the agent grew by ${growth} MiB`);
    });
  });
}

Deno.test("Sandbox keeps answers for an algorithm that does not read them from piling up", async () => {
  await withSandbox(async ({ start }) => {
    let asked = 0;
    const lines: string[] = [];
    const handle = await start(
      `export async function main(context) {
        for (let i = 0; i < 1000; i++) context.results(i);
        console.log("asked");
        for (;;);
      }`,
      {
        onLog: (some) => lines.push(...some),
        client: {
          organizations: () => Promise.resolve([]),
          createTask: () => Promise.reject(new Error("no")),
          results: () =>
            Promise.resolve([{
              organization_id: 3,
              status: "completed",
              result: "x".repeat(MIB) + ++asked,
            }]),
        },
      },
    );
    await waitFor(() => lines.length > 0, { what: "the last question" });
    await handle.kill();
    assert.ok(asked <= 16, `${asked} answers were made`);
  });
});

Deno.test("Sandbox lets other runs finish beside hostile ones", async () => {
  await withSandbox(async ({ run, start }) => {
    const hostile = await Promise.all(
      ["for (;;);", "for (;;) console.log('x'.repeat(1000));"].map((body) =>
        start(`export function main() { ${body} }`)
      ),
    );
    const { value } = await run("export const main = () => 42;");
    assert.equal(value, 42);
    for (const handle of hostile) await handle.kill();
  });
});

Deno.test("Sandbox keeps a run from the files of another one", async () => {
  await withSandbox(async ({ run, start, folder }) => {
    const path = `${folder}/data.csv`;
    await Deno.writeTextFile(path, "a\n7042\n", { mode: 0o600 });
    const lines: string[] = [];
    const victim = await start(
      `export async function main(context) {
        console.log(context.table().length, import.meta.dirname); await new Promise(() => {}); }`,
      {
        databases: [{ label: "d", type: "csv", path }],
        onLog: (some) => lines.push(...some),
      },
    );
    const place = (await waitFor(() => lines[0], { what: "the victim" })).split(" ")[1]!;
    const names = [...Deno.readDirSync(place)].map(({ name }) => `${place}/${name}`);
    for (const target of [...names, path, place]) {
      const outcome = await run(`export const main = (_, path) => Deno.readTextFileSync(path);`, {
        args: [target],
      });
      assert.match(outcome.reason ?? "completed", /Requires read access/, target);
    }
    await victim.kill();
  });
});

Deno.test("Sandbox does not follow a symbolic link that appears in a run's folder", async () => {
  await withSandbox(async ({ run, folder }) => {
    await Deno.writeTextFile(`${folder}/secret`, "7042");
    let place = "";
    const { reason } = await run(
      `export async function main(context) {
        await context.createTask({ organizations: [1], input: { method: import.meta.dirname } });
        return Deno.readTextFileSync(new URL("link", import.meta.url)); }`,
      {
        client: {
          organizations: () => Promise.resolve([]),
          async createTask({ input }) {
            place = JSON.parse(new TextDecoder().decode(input)).method;
            await Deno.symlink(`${folder}/secret`, `${place}/link`);
            return { id: 1 };
          },
          results: () => Promise.resolve([]),
        },
      },
    );
    assert.match(reason ?? "completed", /Requires read access/);
  });
});

Deno.test("Sandbox's runs die with the agent, and the next sandbox removes what they leave", {
  ignore: !walls.setpriv,
}, async () => {
  const { path: folder, remove } = await temporaryFolder();
  await Deno.chmod(folder, 0o700);
  await Deno.writeTextFile(
    `${folder}/endless.ts`,
    `export function main() { console.log(Deno.pid, import.meta.dirname); for (;;); }`,
  );
  const agent = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `
      import { createSandbox } from "${import.meta.resolve("./sandbox.ts")}";
      import { silentLogger } from "${import.meta.resolve("../../../shared/service/log.ts")}";
      const sandbox = await createSandbox({ folder: "${folder}", log: silentLogger });
      await sandbox.start({
        name: "endless",
        algorithm: { name: "endless.ts", path: "${folder}/endless.ts" },
        input: { method: "main", args: [], kwargs: {} },
        databases: [],
        place: { disclosure: null },
        limits: { timeoutSeconds: 600, memoryMiB: 1024, outputMiB: 1 },
        onLog: ([line]) => console.log(line),
        client: {},
      });`,
    ],
    cwd: new URL("../../..", import.meta.url),
    stdout: "piped",
  }).spawn();
  const output = agent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const [pid, place] = (await output.read()).value!.trim().split(" ");
  assert.ok((await Deno.stat(place!)).isDirectory);
  agent.kill("SIGKILL");
  await agent.status;
  await output.cancel();
  await waitFor(() => Deno.stat(`/proc/${pid}`).then(() => false, () => true), {
    what: "the run to die",
  });

  // Any sandbox of this account removes it, also one of a test beside this one.
  const sandbox = await createSandbox({ folder, log: silentLogger });
  await assert.rejects(Deno.stat(place!), Deno.errors.NotFound);
  await sandbox.close();
  await remove();
});
