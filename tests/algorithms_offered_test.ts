/**
 * What may run at which sites: nodes tell the hub what their owners' rules let run, with what the
 * algorithms say of themselves.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { sha256Hex } from "../shared/service/digest.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json, type Member } from "./site.ts";

const stack = useTestStack();

const TALLY = `export const description = {
  name: "tally",
  version: "1.0.0",
  summary: "How many rows have a value in a column.",
  methods: {
    central: {
      label: "Tally",
      help: "Counts the values of all organizations",
      arguments: { column: { type: "column", label: "Column", help: "Whose values are counted" } },
      outputs: [{ name: "count", kind: "count", help: "Rows with a value" }],
    },
    partial: {
      internal: true,
      help: "Counts those of one",
      arguments: { column: { type: "column", label: "Column", help: "Whose values are counted" } },
      outputs: [{ name: "count", kind: "count", help: "Rows with a value" }],
    },
  },
};
export function partial(context, { column }) {
  return { count: context.table().column(column).values.filter((value) => value !== null).length };
}
export async function central(context, { column }) {
  const organizations = (await context.organizations()).map(({ id }) => id);
  const input = { method: "partial", kwargs: { column } };
  const task = await context.createTask({ organizations, input });
  const parts = await context.results(task.id);
  return { count: parts.reduce((sum, { result }) => sum + result.count, 0) };
}
`;
const PLAIN = "export function rows(context) { return context.table().length; }\n";

Deno.test("GET /api/algorithm says what each owner's rules let run, and what a task may be given", async () => {
  const folder = join(stack().folder, "offered");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "tally@1.0.0.ts"), TALLY);
  await Deno.writeTextFile(join(folder, "plain@0.1.0.ts"), PLAIN);
  const site = await createSite(stack(), {
    data: ["x\n1\n2\n", "x\n3\n", "x\n4\n"],
    node: (index) => ({
      algorithm_folders: [folder],
      ...index === 1
        ? { policies: { algorithms: [{ name: "deno:tally", methods: { partial: {} } }] } }
        : {},
      ...index === 2 ? { share_config: false } : {},
    }),
  });
  const [first, second, third] = site.members as [Member, Member, Member];
  for (const member of site.members) await site.startNode(member);

  async function shown(): Promise<Json> {
    const { data } = await site.researcher.get(
      `/algorithm?collaboration_id=${site.collaborationId}`,
    );
    return data.map(({ name, nodes }: Json) => [
      name,
      nodes.map((one: Json) => [one.organization.id, one.methods.join(" "), one.status]),
    ]);
  }
  const expected = [
    ["plain", [[first.id, "rows", "online"]]],
    ["tally", [[first.id, "central partial", "online"], [second.id, "partial", "online"]]],
  ];
  await waitFor(async () => {
    assert.deepEqual(await shown(), expected);
    return true;
  }, { what: "two nodes to tell", timeout: 60_000 });

  const path = `/algorithm?collaboration_id=${site.collaborationId}&name=tally`;
  const { data: [tally] } = await site.researcher.get(path);
  assert.equal(tally.digest, `sha256:${await sha256Hex(TALLY)}`);
  assert.equal(tally.online, true);
  const { central, partial } = tally.description.methods;
  assert.deepEqual(central.arguments.column, {
    type: "column",
    label: "Column",
    help: "Whose values are counted",
  });
  assert.equal(partial.internal, true);

  // What is shown can be posted, and what runs has the digest that was shown.
  const task = await site.post({
    image: tally.image,
    method: "partial",
    kwargs: { column: "x" },
    members: [first, second],
  });
  const { status, runs, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.deepEqual(results.map(({ count }: Json) => count), [2, 1]);
  assert.deepEqual(runs.map(({ code }: Json) => code), [tally.digest, tally.digest]);

  // Other rules, and an owner who tells no more; the third never told.
  const config = parse(await Deno.readTextFile(first.config));
  await Deno.writeTextFile(
    first.config,
    stringify({ ...config, policies: { allowed_algorithms: ["deno:plain@0.1.0"] } }),
  );
  await stack().part(`node ${first.node}`).restart();
  await waitFor(async () => {
    assert.deepEqual(await shown(), [expected[0], ["tally", [[second.id, "partial", "online"]]]]);
    return true;
  }, { what: "the new rules to be told", timeout: 60_000 });
  const all = await site.admin.get(`/algorithm?organization_id=${third.id}`);
  assert.deepEqual(all.data, []);

  const part = `/node/${second.nodeId}`;
  await stack().part(`node ${second.node}`).stop();
  await waitFor(async () => (await site.admin.get(part)).status === "offline", {
    what: "the second node to be offline",
    timeout: 30_000,
  });
  const { data: [offline] } = await site.researcher.get(path);
  assert.deepEqual([offline.online, offline.nodes[0].status], [false, "offline"]);
  assert.equal((await site.admin.request("DELETE", part)).status, 200);
  assert.deepEqual((await site.researcher.get(path)).data, []);
});
