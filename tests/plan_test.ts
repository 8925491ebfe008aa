import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { planBatches, testFiles } from "./plan.ts";

const TEXTS: Record<string, string> = {
  "shared/a_test.ts": `import { a } from "./a.ts";`,
  "services/b_test.ts": `import { useTestHub } from "../tests/support/hub.ts";`,
  "services/shell/rows_test.ts": `import { useTestPostgres } from "../../tests/harness.ts";`,
  "tests/c_test.ts": `import { useTestStack } from "./harness.ts";`,
  "tests/faults_short_test.ts": `import { runFaults } from "./faults/faults.ts";`,
  "services/d_test.ts": `import { d } from "./d.ts";`,
  "services/identity/routes/login_time_test.ts": `import { useTestHub } from "./hub.ts";`,
};

const IMPORTED: Record<string, string> = {
  "tests/faults/faults.ts": `import { startTestStack } from "../harness.ts";`,
};

function textOf(file: string): string {
  return TEXTS[file] ?? IMPORTED[file]!;
}

Deno.test("planBatches() gives each file that starts something a process, the longest first", () => {
  const { beside } = planBatches(Object.keys(TEXTS), textOf);
  assert.deepEqual(beside.map(({ files }) => files), [
    ["shared/a_test.ts", "services/d_test.ts"],
    ["services/shell/rows_test.ts"],
    ["tests/c_test.ts"],
    ["tests/faults_short_test.ts"],
    ["services/b_test.ts"],
  ]);
});

Deno.test("planBatches() plans every file once, and nothing where there is none", () => {
  const files = Object.keys(TEXTS);
  const { beside, alone } = planBatches(files, textOf);
  const planned = [...beside, ...alone].flatMap((one) => one.files);
  assert.deepEqual(planned.toSorted(), files.toSorted());
  assert.deepEqual(planBatches([], () => ""), { beside: [], alone: [] });
});

Deno.test("planBatches() lets nothing run beside a file that measures time closely", () => {
  const { beside, alone } = planBatches(Object.keys(TEXTS), textOf);
  const timed = "services/identity/routes/login_time_test.ts";
  assert.deepEqual(alone.map(({ files }) => files), [[timed]]);
  assert.ok(beside.every(({ files }) => !files.includes(timed)));
});

Deno.test("planBatches() names only files that there are", async () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = ["shared", "services", "tests"].flatMap((folder) => testFiles(root, folder));
  const text = await Deno.readTextFile(join(root, "tests/plan.ts"));
  const named = [...text.matchAll(/"(\S+_test\.ts)"/g)].map(([, end]) => end!);
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter((end) => !files.some((file) => file.endsWith(`/${end}`) || file === end)),
    [],
  );
});
