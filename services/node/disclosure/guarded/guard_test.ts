/** Runs without rows in the real sandbox. */
import assert from "node:assert/strict";
import type { RunOptions, SandboxOfTest } from "../../../../tests/support/sandboxed.ts";
import { withSandbox } from "../../../../tests/support/sandboxed.ts";
import type { Json } from "../../../../tests/site.ts";
import { PROFILES } from "../rules.ts";
import type { GuardCounts } from "./asking.ts";
import { MOST_QUESTIONS, MOST_REFUSED } from "./guard.ts";

type Run = ReturnType<SandboxOfTest["run"]>;

const SECRET = "7042.5";
const AGES = Array.from({ length: 40 }, (_, i) => 20 + i);
const CSV = `age,sex,cost\n${
  AGES.map((age, i) => `${age},${i % 2 === 0 ? "f" : "m"},${i === 7 ? SECRET : 100 + i}`)
    .join("\n")
}\n`;

const PLACE = {
  organization: { id: 3, name: "Alpha" },
  node: { id: 7, name: "alpha" },
  task: { id: 5, runId: 1 },
  settings: {},
  disclosure: { profile: "datashield", persons: null, ...PROFILES.datashield },
} as const;

async function withGuarded(
  use: (
    run: (body: string, options?: RunOptions) => Promise<Awaited<Run> & { value: Json }>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  await withSandbox(async ({ run, folder }) => {
    const path = `${folder}/data.csv`;
    await Deno.writeTextFile(path, CSV);
    const databases = [{ label: "default", type: "csv" as const, path }];
    const guarded = { databases, access: "guarded", place: PLACE } as const;
    await use(
      (body, options) =>
        run(`export async function main(context, kwargs) {\n${body}\n}`, {
          ...guarded,
          ...options,
        }),
      folder,
    );
  });
}

Deno.test("guard: rows are refused, with the rule and what the owner can do; aggregates are not", async () => {
  await withGuarded(async (run) => {
    const { value, reason } = await run(
      `const table = context.table();
       const tried = {};
       for (const [name, look] of Object.entries({
         columns: () => table.columns,
         length: () => table.length,
         column: () => table.column("age"),
         numeric: () => table.numeric("age"),
         floats: () => table.floats("age"),
         booleans: () => table.booleans("age"),
         dates: () => table.dates("age"),
       })) {
         try { tried[name] = look(); } catch (error) { tried[name] = error.name + error.message; }
       }
       return {
         tried,
         groups: await table.groups(["sex"]),
         moments: await table.moments(["age"], { where: "age < 40", by: ["sex"] }),
         described: await table.describe(),
       };`,
    );
    const { tried, groups, moments, described } = value ?? assert.fail(String(reason));
    for (const said of Object.values(tried)) {
      assert.match(
        said as string,
        /^GuardedErrorThis algorithm gets no rows .*datashield.*disclosure\.trusted/,
      );
    }
    assert.deepEqual(groups.groups.map(({ n }: { n: number }) => n), [20, 20]);
    assert.deepEqual(moments.groups, [
      { levels: ["f"], n: 10, persons: 10, moments: { age: { mean: 29, squares: 330 } } },
      { levels: ["m"], n: 10, persons: 10, moments: { age: { mean: 30, squares: 330 } } },
    ]);
    assert.deepEqual(described.columns[0], { name: "age", type: "number" });
  });
});

Deno.test("guard: the file of columns is nowhere that the algorithm can read", async () => {
  await withGuarded(async (run, folder) => {
    // Where it is, and where a run with rows has it.
    const { value: own } = await run(`return import.meta.url;`);
    const databases = [{ label: "default", type: "csv" as const, path: `${folder}/data.csv` }];
    const before = await run(`return context.table().length;`, { access: "rows", databases });
    assert.equal(before.value, 40, "with rows it can be read");
    const stored: string[] = [];
    for await (const { name } of Deno.readDir(`${folder}/tables`)) {
      if (name.endsWith(".columns")) stored.push(`${folder}/tables/${name}`);
    }
    assert.equal(stored.length, 1);
    const { value, reason } = await run(
      `const here = new URL(".", import.meta.url).pathname;
       await context.table().groups([]);
       const paths = [...kwargs.stored, here + "database-0", here + "../", here, "/proc/self/fd",
         "/proc/self/maps", "/proc/" + (Deno.pid - 1) + "/fd", "/proc/" + (Deno.pid + 1) + "/root"];
       for (let i = 0; i < 32; i++) paths.push(here + "database-" + i, "/proc/self/fd/" + i);
       const got = [];
       const attempt = async (what, look) => {
         try { const found = await look(); got.push([what, String(found?.length ?? found)]); } catch {}
       };
       for (const path of paths) {
         await attempt("file " + path, () => Deno.readFile(path));
         await attempt("sync " + path, () => Deno.readFileSync(path));
         await attempt("open " + path, () => Deno.openSync(path).readSync(new Uint8Array(10)));
         await attempt("fetch " + path, async () => (await fetch("file://" + path)).text());
         await attempt("list " + path, () => Array.from(Deno.readDirSync(path)));
         await attempt("link " + path, () => { Deno.symlinkSync(path, here + "linked"); return 1; });
         await attempt("linked " + path, () => Deno.readFileSync(here + "linked"));
         await attempt("text " + path, () => import("file://" + path, { with: { type: "text" } }));
         await attempt("json " + path, () => import("file://" + path, { with: { type: "json" } }));
       }
       const node = await import("node:fs").catch(() => null);
       for (const path of paths) {
         await attempt("node " + path, () => node.readFileSync(path));
         await attempt("copy " + path, () => { node.copyFileSync(path, here + "copied"); return 1; });
       }
       return got;`,
      { kwargs: { stored } },
    );
    assert.deepEqual(value, [], String(reason));
    assert.ok(own);
  });
});

Deno.test("guard: a static import of the file of columns is refused before anything runs", async () => {
  await withSandbox(async ({ run, folder }) => {
    await Deno.writeTextFile(`${folder}/data.csv`, CSV);
    const databases = [{ label: "default", type: "csv" as const, path: `${folder}/data.csv` }];
    await run(`export const main = (context) => context.table().length;`, { databases });
    for await (const { name } of Deno.readDir(`${folder}/tables`)) {
      if (!name.endsWith(".columns")) continue;
      const { status, reason } = await run(
        `import it from "file://${folder}/tables/${name}" with { type: "text" };
         export const main = () => it;`,
        { databases, access: "guarded", place: PLACE },
      );
      assert.equal(status, "start failed");
      assert.match(String(reason), /cannot be loaded/);
    }
  });
});

Deno.test("guard: frames of the algorithm's own are answered under the same rules", async () => {
  await withGuarded(async (run) => {
    const { value, reason } = await run(
      `const questions = [
         { label: "default", ask: "groups", columns: ["age"] },
         { label: "default", ask: "groups", columns: [], where: "age = 27", sums: ["cost"] },
         { label: "default", ask: "rows" },
         { label: "../tables", ask: "groups", columns: [] },
         null,
       ];
       // As the runner would: the answers come to calls that it knows nothing of.
       const encoder = new TextEncoder();
       for (const [i, input] of questions.entries()) {
         const frame = { is: "call", id: 1000 + i, what: "aggregates", input };
         Deno.stdout.writeSync(encoder.encode("\\x1e" + JSON.stringify(frame) + "\\n"));
       }
       const parsed = JSON.parse;
       const seen = [];
       JSON.parse = (text, ...rest) => { seen.push(text); return parsed(text, ...rest); };
       // Until the answer to a question of the usual way has come, those have come, too.
       await context.table().groups([]);
       JSON.parse = parsed;
       return seen.map((text) => parsed(text)).filter(({ id }) => id >= 1000);`,
    );
    assert.ok(value, String(reason));
    const answers = new Map((value as { id: number }[]).map(({ id, ...rest }) => [id, rest]));
    const told = (id: number) => JSON.stringify(answers.get(id));
    assert.match(told(1000), /"groups":\[\]/);
    assert.match(told(1001), /"n":null.*"groups":\[\]/);
    assert.match(told(1002), /"error"/);
    assert.match(told(1003), /has no database/);
    assert.match(told(1004), /"error"/);
    assert.doesNotMatch(JSON.stringify(value), new RegExp(SECRET));
  });
});

Deno.test("guard: errors name columns and rules, and no value; a name that is none is not completed", async () => {
  await withGuarded(async (run) => {
    const { value, reason } = await run(
      `const table = context.table();
       const said = [];
       for (const ask of [
         () => table.groups(["agf"]),
         () => table.groups(["sex"], { sums: ["sex"] }),
         () => table.moments(["sex"]),
         () => table.groups([], { where: "age >" }),
         () => table.groups([], { where: "sex > 3" }),
         () => table.riskSets("age", "cost"),
         () => table.quantileCounts("sex", [1]),
         () => table.quantileCounts("age", ["x"]),
         () => table.crossProducts([]),
         () => context.table("other").groups([]),
       ]) {
         try { said.push(JSON.stringify(await ask())); } catch (error) { said.push(error.message); }
       }
       return said;`,
    );
    assert.equal(value?.length, 10, String(reason));
    for (const said of value) assert.doesNotMatch(said, new RegExp(`${SECRET}|"n"`), said);
  });
});

Deno.test("guard: a condition is refused where the owner allows none", async () => {
  await withGuarded(async (run) => {
    const { reason } = await run(`return await context.table().groups([], { where: "age > 3" });`, {
      allowWhere: false,
    });
    assert.match(String(reason), /policies\.allow_where is false/);
  });
});

Deno.test("guard: a run asks so many questions and no more, and so many that are refused", async () => {
  await withGuarded(async (run) => {
    let counts: GuardCounts | undefined;
    const ask = (where: string) =>
      `let asked = 0;
       try {
         for (;;) { await context.table().groups([], { where: ${where} }); asked++; }
       } catch (error) { return { asked, message: error.message }; }`;
    const many = await run(ask('"age > 0"'), { onGuarded: (found) => counts = found });
    assert.equal(many.value.asked, MOST_QUESTIONS);
    assert.match(many.value.message, /which is the most/);
    assert.deepEqual(counts, { questions: MOST_QUESTIONS, withheld: 0, refused: 0, rules: [] });
    const refused = await run(ask('"age < " + (20 + asked / 100)'), {
      onGuarded: (found) => counts = found,
    });
    assert.equal(refused.value.asked, MOST_REFUSED);
    assert.match(refused.value.message, /refused by the rules/);
    assert.deepEqual(counts?.rules, ["min_subset"]);
  });
});

Deno.test("guard: with rows, aggregates are there too, and under the same rules", async () => {
  await withGuarded(async (run) => {
    const { value, reason } = await run(
      `return [context.table().length, (await context.table().groups(["age"])).groups.length];`,
      { access: "rows" },
    );
    assert.deepEqual(value, [40, 0], String(reason));
    const open = await run(`return (await context.table().groups(["age"])).groups.length;`, {
      access: "rows",
      place: { ...PLACE, disclosure: null },
    });
    assert.equal(open.value, 40, String(open.reason));
  });
});

Deno.test("guard: a run that asks nothing starts nothing; what was started ends with the run", async () => {
  await withGuarded(async (run) => {
    const guards = async () => {
      let count = 0;
      for await (const { name } of Deno.readDir("/proc")) {
        const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
        if (!/^\d+$/.test(name) || !(await read("cmdline")).includes("guarded/process.js")) {
          continue;
        }
        // Others on this machine may have theirs.
        if (new RegExp(`^PPid:\\s*${Deno.pid}$`, "m").test(await read("status"))) count++;
      }
      return count;
    };
    let running = -1;
    const asking = `await context.table().groups([]); console.log("asked");
      await new Promise(() => setTimeout(() => {}, 1e6));`;
    const { status } = await run(asking, {
      limits: { timeoutSeconds: 10 },
      onLog: () => void guards().then((count) => running = count),
    });
    assert.equal(status, "failed");
    assert.equal(await guards(), 0);
    assert.equal(running, 1);
    let idle = -1;
    await run(`console.log("here"); await new Promise((go) => setTimeout(go, 300)); return 1;`, {
      onLog: () => void guards().then((count) => idle = count),
    });
    assert.equal(idle, 0);
  });
});
