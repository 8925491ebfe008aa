import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { withSandbox } from "../../../tests/support/sandboxed.ts";
import { DEFAULT_READ } from "../data/options.ts";
import { createTables } from "../data/tables.ts";
import type { Policy } from "../policy/policy.ts";
import { simulate, type SimulateOptions, type Simulation } from "./simulate.ts";

const SUM = `
export async function central(context, { column, organizations }) {
  const asked = organizations ?? (await context.organizations()).map(({ id }) => id);
  const { id } = await context.createTask({
    organizations: asked, input: { method: "partial", kwargs: { column } }, name: "sums",
  });
  const results = await context.results(id);
  return results.map(({ organization_id, result }) => [organization_id, result]);
}
export function partial(context, { column }) {
  console.log("summing");
  return context.table().numeric(column).reduce((sum, value) => sum + value, 0);
}
export const stranger = (context) => context.results(1);
export const twice = async (context) => {
  await context.createTask({ organizations: [1], input: { method: "forever" } });
  return "done";
};
export const forever = () => new Promise((done) => setTimeout(done, 1e6));
`;

type Call = Parameters<typeof simulate>[0];

async function simulated(
  call: Partial<Call>,
  options: { policy?: Policy; files?: string[]; signal?: AbortSignal; seconds?: number } = {},
): Promise<Simulation> {
  const { files = ["x\n1\n2\n", "x\n10\n"], policy = {}, seconds = 60 } = options;
  let found: Simulation | undefined;
  await withSandbox(async ({ sandbox, folder }) => {
    const path = `${folder}/sum.js`;
    await Deno.writeTextFile(path, SUM);
    const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
    const sites = await Promise.all(files.map(async (text, index) => {
      const file = `${folder}/${index}.csv`;
      await Deno.writeTextFile(file, text);
      const source = { type: "csv" as const, path: file, options: DEFAULT_READ };
      const columns = await tables.read(source, { steps: [] });
      return {
        name: `site ${index + 1}`,
        databases: [{ label: "default", type: "columns" as const, path: columns }],
      };
    }));
    const given: SimulateOptions = {
      sandbox,
      algorithm: { name: "sum.js", path, image: "deno:sum@1.0.0" },
      sites,
      policy,
      limits: { timeoutSeconds: seconds, memoryMiB: 1024, outputMiB: 1 },
      log: silentLogger,
      signal: options.signal ?? new AbortController().signal,
    };
    found = await simulate(
      { method: "central", args: [], kwargs: { column: "x" }, ...call },
      given,
    );
  });
  return found!;
}

Deno.test("simulate() runs a task over its sites and says what left each", async () => {
  const { runs, result, rounds, messages } = await simulated({});
  assert.deepEqual(result, [[1, 3], [2, 10]]);
  assert.deepEqual(runs.map(({ site, method, status }) => [site, method, status]), [
    ["site 1", "central", "completed"],
    ["site 1", "partial", "completed"],
    ["site 2", "partial", "completed"],
  ]);
  assert.equal(runs[2]!.log.trim(), "summing");
  assert.deepEqual(rounds.map(({ name, sites }) => [name, sites]), [
    ["sums", ["site 1", "site 2"]],
  ]);
  const call = { method: "partial", args: [], kwargs: { column: "x" } };
  assert.deepEqual(messages[0], {
    from: "site 1",
    to: "site 2",
    what: "subtask",
    method: "partial",
    bytes: JSON.stringify(call).length,
    content: call,
  });
  assert.deepEqual(
    messages.slice(1).map(({ from, to, what, content }) => [from, to, what, content]).sort(),
    [
      ["site 1", undefined, "result", [[1, 3], [2, 10]]],
      ["site 1", "site 1", "result", 3],
      ["site 2", "site 1", "result", 10],
    ].sort(),
  );
});

Deno.test("simulate() asks the owner's rules as a node does", async () => {
  const policy: Policy = { minimumOrganizations: 3 };
  const { runs, result, messages } = await simulated({}, { policy });
  assert.deepEqual([runs.length, runs[0].status, result], [1, "not allowed", undefined]);
  assert.match(runs[0].reason!, /minimum_organizations of 3/);
  assert.deepEqual(messages, []);

  const named: Policy = {
    algorithms: [{ name: "deno:sum", methods: { central: {} } }],
  };
  const under = await simulated({}, { policy: named });
  assert.equal(under.runs[0].status, "crashed");
  assert.match(under.runs[0].reason!, /site 1: not allowed .* method "partial"/s);
});

Deno.test("simulate() tells of a site that fails, and of none that is not there", async () => {
  const failed = await simulated({}, { files: ["x\n1\n", "y\n1\n"] });
  assert.match(
    failed.runs[0].reason!,
    /Subtask 2 did not complete\. site 2: crashed \(.*no column/,
  );
  const none = await simulated({ kwargs: { column: "x", organizations: [3] } });
  assert.match(none.runs[0].reason!, /no organization 3 here; there are 1 to 2/);
  const stranger = await simulated({ method: "stranger" });
  assert.match(stranger.runs[0].reason!, /Task 1 is not a subtask that this run created/);
});

Deno.test("simulate() waits for subtasks that nobody waits for, within their time", async () => {
  const { runs, result } = await simulated({ method: "twice", kwargs: {} }, { seconds: 1 });
  assert.equal(result, "done");
  assert.deepEqual(runs.map(({ status }) => status), ["completed", "failed"]);
});

Deno.test("simulate() ends what runs when it is stopped", async () => {
  const signal = AbortSignal.timeout(500);
  const { runs } = await simulated({ method: "forever", kwargs: {} }, { signal });
  assert.equal(runs[0].status, "killed by user");
});
