/**
 * Rules on what may leave, on the whole system: whatever an algorithm tries, no value that rests on
 * too few persons is at the hub, nor in a log, a message or the audit record.
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, encodeInput, type Json, type Member, type Site } from "./site.ts";
import { runHeld } from "../services/node/disclosure/held_commands.ts";
import { readNodeConfig } from "../services/node/config/config.ts";

const stack = useTestStack();
/** Of the second row; as a number it is nowhere else. */
const SECRET = "73194428165.25";
const ONE_ROW = `secret,age\n${SECRET},44\n`;
const ROWS = `secret,age\n${SECRET},44\n${SECRET},45\n12,46\n13,47\n14,48\n15,49\n`;

async function startSite(
  nodes: Record<string, unknown>[],
  data: string[] = nodes.map(() => ROWS),
): Promise<Site> {
  const site = await createSite(stack(), { data, node: (index) => nodes[index]! });
  for (const member of site.members) await site.startNode(member);
  return site;
}

async function ask(
  site: Site,
  method: string,
  { image = "deno:leaky@1.0.0", member = site.members[0]!, kwargs = {} }: {
    image?: string;
    member?: Member;
    kwargs?: Record<string, unknown>;
  } = {},
) {
  const task = await site.post({ image, method, kwargs, members: [member] });
  return { task, ...await site.outcome(task.id) };
}

/** All that anybody can learn of the site's tasks, without the algorithms' own files. */
async function knownAtHub(site: Site): Promise<string> {
  const tasks: Json[] = (await site.admin.get(
    `/task?collaboration_id=${site.collaborationId}&include=runs,results&per_page=100`,
  )).data;
  const parts: unknown[] = [tasks];
  for (const { id } of tasks) {
    parts.push(await site.admin.get(`/run?task_id=${id}&include=input,results`));
    const { data } = await site.admin.get(`/result?task_id=${id}`);
    parts.push(data.map(({ result }: Json) => result ? atob(result) : null));
  }
  return JSON.stringify(parts);
}

const auditOf = async (member: Member) =>
  await Deno.readTextFile(join(dirname(member.config), "node-data", "audit.log"));

async function assertNothingLeft(site: Site) {
  assert.ok(!(await knownAtHub(site)).includes("7319442816"), "at the hub");
  assert.ok(
    !stack().log.some((line) => line.includes("7319442816")),
    "in the logs of hub and agents",
  );
  for (const member of site.members) {
    assert.ok(!(await auditOf(member)).includes("7319442816"), "in the audit log");
  }
}

Deno.test("a site with one row lets out none of it, and says by which rule", async () => {
  const node = { disclosure: { profile: "datashield" } };
  const site = await startSite([node, node], [ONE_ROW, ROWS]);
  const { status, results, runs } = await ask(site, "partial", {
    image: "deno:average@1.0.0",
    kwargs: { column: "secret" },
  });
  assert.equal(status, "completed", JSON.stringify(runs));
  assert.deepEqual(results[0], {
    sum: null,
    count: null,
    missing: 0,
    withheld: [
      { output: "sum", rule: "min_cell", values: 1 },
      { output: "count", rule: "min_cell", values: 1 },
    ],
  });
  assert.equal(runs[0].log, "");
  await assertNothingLeft(site);
  const records = (await auditOf(site.members[0]!)).split("\n").filter((line) =>
    line.includes('"event":"disclosure"')
  ).map((line) => JSON.parse(line));
  assert.equal(records.length, 1);
  const [{ decision, standing, values_before, values_after, withheld, rules }] = records;
  assert.deepEqual([decision, standing, values_before, values_after], ["released", "own", 3, 1]);
  assert.deepEqual(withheld, results[0].withheld);
  assert.equal(rules.minCell, 3);

  // The others are averaged without it.
  const all = await ask(site, "central", {
    image: "deno:average@1.0.0",
    kwargs: { column: "age" },
  });
  assert.equal(all.status, "completed", JSON.stringify(all.runs));
  const [{ average, count, withheld: told }] = all.results;
  assert.deepEqual([average, count], [46.5, 6]);
  assert.deepEqual(told.map(({ organization }: Json) => organization), [site.members[0]!.id]);
});

Deno.test("a filter that isolates one person gets nothing of them", async () => {
  const site = await startSite([{ disclosure: { profile: "datashield" } }]);
  const { id } = site.members[0]!;
  const about = (min_: number, include_min: boolean) =>
    site.researcher.post("/task", {
      name: "one person",
      image: "deno:average@1.0.0",
      collaboration_id: site.collaborationId,
      organizations: [{
        id,
        input: encodeInput({ method: "partial", kwargs: { column: "age" } }),
      }],
      databases: [{
        label: "default",
        preprocessing: [{
          function: "filter_range",
          parameters: { column: "age", min_, include_min },
        }],
      }],
    });
  const enough = await site.outcome((await about(47, true)).id);
  assert.deepEqual([enough.results[0].sum, enough.results[0].count], [144, 3]);
  const few = await site.outcome((await about(47, false)).id);
  assert.deepEqual([few.results[0].sum ?? null, few.results[0].count ?? null], [null, null]);
  // These are enough by themselves, and with the first would tell of one.
  const oneMore = await site.outcome((await about(46, true)).id);
  assert.deepEqual([oneMore.results[0].sum ?? null, oneMore.results[0].count ?? null], [
    null,
    null,
  ]);
  assert.match(JSON.stringify(oneMore.results[0].withheld), /differs from an earlier result/);
  const all = await site.outcome((await about(44, true)).id);
  assert.deepEqual([all.results[0].sum, all.results[0].count], [279, 6]);
});

Deno.test("whoever chooses the rows of one person by preprocessing reads the same as of nobody's, by every way to ask", async () => {
  const site = await startSite([{
    algorithm_library: true,
    disclosure: { profile: "datashield" },
  }]);
  const { id } = site.members[0]!;
  const ask = async (
    image: string,
    kwargs: Record<string, unknown>,
    steps: [column: string, min_: number, max_: number][],
    method: string,
  ) => {
    const task = await site.researcher.post("/task", {
      name: "chosen",
      image,
      collaboration_id: site.collaborationId,
      organizations: [{ id, input: encodeInput({ method, kwargs }) }],
      databases: [{
        label: "default",
        preprocessing: steps.map(([column, min_, max_]) => ({
          function: "filter_range",
          parameters: { column, min_, max_, include_min: true, include_max: true },
        })),
      }],
    });
    const { status, results, runs } = await site.outcome(task.id);
    return { status, results, log: runs[0]!.log };
  };
  for (
    const [image, kwargs, method] of [
      ["deno:average@1.0.0", { column: "age" }, "partial"],
      ["deno:linear_regression@1.0.0", { outcome: "age", predictors: ["secret"] }, "partial"],
      ["deno:summary@1.0.0", { columns: ["age"], categories: [] }, "central"],
      ["deno:histogram@1.0.0", { column: "age", from: 40, to: 50, bins: 5 }, "central"],
      ["deno:crosstab@1.0.0", { row: "age", column: "secret" }, "central"],
    ] as const
  ) {
    const one = await ask(image, kwargs, [["age", 45, 45], ["secret", 7e10, 8e10]], method);
    const none = await ask(image, kwargs, [["age", 45, 45], ["secret", 0, 100]], method);
    assert.deepEqual(one, none, image);
    if (method === "central") continue;
    assert.equal(one.status, "completed", `${image}: ${one.log}`);
    assert.deepEqual(Object.keys(one.results[0]), ["withheld"], image);
  }
  const summary = { columns: ["age"], categories: [], where: "age >= 44" };
  const both = await ask("deno:summary@1.0.0", summary, [["secret", 0, 8e10]], "central");
  assert.equal(both.status, "crashed");
  assert.match(both.log, /"where" or by preprocessing, not by both/);
  await assertNothingLeft(site);
});

Deno.test("nobody but the algorithm itself hands its parts coefficients, centres or levels", async () => {
  const site = await startSite([{
    algorithm_library: true,
    disclosure: { profile: "datashield" },
  }]);
  const variables = [{ name: "age" }, { name: "secret" }];
  const terms = [{ name: "age", variable: "age", centre: 0, scale: 1 }];
  const model = { outcome: "secret", predictors: ["age"], variables, terms };
  for (
    const [image, method, kwargs, handed] of [
      ["glm", "partial_step", { ...model, family: "gamma", coefficients: [1, 0] }, "coefficients"],
      ["k_means", "partial_clusters", { columns: ["age"], centres: [[44]] }, "centres"],
    ] as const
  ) {
    const { status, runs } = await ask(site, method, { image: `deno:${image}@1.0.0`, kwargs });
    assert.equal(status, "not allowed", JSON.stringify(runs));
    const sentence = new RegExp(
      `let "${method}" be called by other methods of deno:${image}@1.0.0 .*${handed}.*: call one of central`,
    );
    assert.match(runs[0].log, sentence);
  }
});

Deno.test("an algorithm that nobody trusts sees no rows, and can return, say and send none", async () => {
  const site = await startSite([{ disclosure: { profile: "datashield" } }]);
  for (const method of ["rows", "forged", "thrown", "pretended", "printed", "sent", "ended"]) {
    const { status, runs } = await ask(site, method);
    assert.equal(status, "crashed", method);
    assert.match(runs[0].log, /datashield/, "it says why");
  }
  const { results } = await ask(site, "file");
  assert.match(results[0].found[0], /^(NotFound|NotCapable|PermissionDenied)$/);
  await assertNothingLeft(site);
  const { status, results: [{ groups }], runs } = await ask(site, "guarded");
  assert.equal(status, "completed", JSON.stringify(runs));
  assert.equal(groups[0].n, 6);
});

Deno.test("what an algorithm that is only held says, sends and returns waits for a person, who may refuse", async () => {
  const site = await startSite([{
    disclosure: { profile: "datashield", unlisted: "hold" },
  }]);
  const [member] = site.members;
  const logs = new Set<string>();
  for (
    const method of ["thrown", "pretended", "sent", "ended", "rows", "forged", "printed"]
  ) {
    const task = await site.post({ image: "deno:leaky@1.0.0", method });
    const run = await waitFor(
      async () =>
        (await site.researcher.get(`/run?task_id=${task.id}`)).data
          .find((one: Json) => JSON.stringify(one).includes("waiting for release")),
      { what: `${method} to be held` },
    );
    const { dataFolder } = await readNodeConfig(member!.config);
    const words = ["refuse", String(run.id)];
    const { code, text } = await runHeld({ dataFolder, words, reason: "not this" });
    assert.equal(code, 0, text);
    const { status, runs } = await site.outcome(task.id);
    assert.equal(status, "not allowed");
    assert.match(runs[0].log, /^Refused at release: not this \(It was held: [^)]+\)$/);
    logs.add(runs[0].log);
  }
  assert.equal(logs.size, 1, "the same words, whatever became of it");
  await assertNothingLeft(site);
});

Deno.test("of one that the owner trusts the result leaves, and of its words the place of the error alone", async () => {
  const site = await startSite([{
    disclosure: { profile: "datashield", trusted: "deno:leaky" },
  }]);
  for (const method of ["thrown", "pretended"]) {
    const { status, runs } = await ask(site, method);
    assert.equal(status, "crashed");
    assert.match(
      runs[0].log,
      /^Error: what it says stays at this site.*\n {4}at leaky@1\.0\.0\.ts:\d+:\d+$/,
      method,
    );
  }
  const printed = await ask(site, "printed");
  assert.deepEqual([printed.status, printed.runs[0].log], ["completed", ""]);
  await assertNothingLeft(site);
  const kept = join(dirname(site.members[0]!.config), "node-data", "kept_words");
  const texts = await Promise.all(
    (await Array.fromAsync(Deno.readDir(kept))).map(({ name }) =>
      Deno.readTextFile(join(kept, name))
    ),
  );
  assert.equal(texts.filter((text) => text.includes(SECRET)).length, 3, "the owner has them");
  const { results } = await ask(site, "forged");
  assert.deepEqual(results[0], { n: 1000, mean: Number(SECRET) }, "as the owner wants it");
});

Deno.test("an algorithm that the owner wants refused does not start, and reads which rule says so", async () => {
  const site = await startSite([{
    disclosure: { profile: "opensafely", unlisted: "refuse" },
  }]);
  const { status, runs } = await ask(site, "echo");
  assert.equal(status, "not allowed");
  assert.match(
    runs[0].log,
    /what may leave \(profile opensafely\) do not let deno:leaky@1\.0\.0 run/,
  );
  // Counts that are rounded make no average.
  const average = await ask(site, "partial", {
    image: "deno:average@1.0.0",
    kwargs: { column: "age" },
  });
  assert.match(average.runs[0].log, /^DisclosureError: .*rounded only.*deno:summary/);
});

Deno.test("a site without rules goes on as before", async () => {
  const site = await startSite([{}], [ONE_ROW]);
  const { results, runs } = await ask(site, "printed");
  assert.deepEqual(results[0], { n: 3 });
  assert.match(runs[0].log, new RegExp(`the secret is ${SECRET}`));
  assert.ok(
    stack().log.some((line) => line.includes("warn") && line.includes("No rules on what results")),
  );
});
