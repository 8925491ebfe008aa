/**
 * Which code runs: known at every site, the same in the whole of a job, and shown.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256Hex } from "../shared/service/digest.ts";
import { isOpen } from "../shared/node_protocol/status.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json, type Member } from "./site.ts";

const stack = useTestStack();
const IMAGE = "deno:count@1.0.0";
const COUNTS = "export function count(context) { return context.table().length; }\n";
const CHANGED = COUNTS.replace("length;", "length + 1;");

async function recordsOf({ config }: Member): Promise<Json[]> {
  const log = await Deno.readTextFile(config.replace(/\.yaml$/, "-data/audit.log"));
  return log.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a site with another file under an algorithm's name does not start, and says so; equal files run", async () => {
  const folders = [0, 1].map((index) => join(stack().folder, `code-${index}`));
  const site = await createSite(stack(), {
    data: ["x\n1\n2\n", "x\n3\n"],
    node: (index) => ({ algorithm_folders: [folders[index]!] }),
  });
  const [first, second] = site.members as [Member, Member];
  const codes: string[] = [];
  for (const [index, text] of [COUNTS, CHANGED].entries()) {
    await Deno.mkdir(folders[index]!);
    await Deno.writeTextFile(join(folders[index]!, "count@1.0.0.ts"), text);
    codes.push(`sha256:${await sha256Hex(text)}`);
  }
  const [usual, changed] = codes as [string, string];
  const shareOf = (runs: Json[], { id }: Member) =>
    runs.find(({ organization }) => organization.id === id)!;

  await site.startNode(first);
  const task = await site.post({ image: IMAGE, method: "count", members: site.members });
  const early = await waitFor(async () => {
    const { data } = await site.researcher.get(`/run?task_id=${task.id}`);
    const run = shareOf(data, first);
    return isOpen(run.status) ? undefined : run;
  }, { what: "the first share to end", timeout: 30_000 });
  await site.startNode(second);
  const { status, runs } = await site.outcome(task.id);
  assert.equal(status, "start failed", "the task's status is that of its failed results");
  assert.deepEqual([early.status, early.code], ["completed", usual]);
  const refused = shareOf(runs, second);
  assert.deepEqual([refused.status, refused.code], ["start failed", null]);
  for (const part of [IMAGE, `here it is ${changed}`, `the job's is ${usual}`, "Have the sites"]) {
    assert.ok(refused.log.includes(part), `${part} in ${refused.log}`);
  }

  const started = (await recordsOf(first)).filter(({ event }) => event === "run started");
  assert.deepEqual(started.map(({ code }) => code), [usual]);
  const records = await recordsOf(second);
  assert.ok(!records.some(({ event }) => event === "run started"), "nothing ran");
  const refusal = records.find(({ event }) => event === "refused")!;
  assert.deepEqual([refusal.code, refusal.job_code], [changed, usual]);

  // Asked alone, it is a job of its own: the code is another one, and is shown.
  const alone = await site.post({ image: IMAGE, method: "count", members: [second] });
  const other = await site.outcome(alone.id);
  assert.deepEqual([other.status, other.results[0], other.runs[0].code], ["completed", 2, changed]);

  await Deno.writeTextFile(join(folders[1]!, "count@1.0.0.ts"), COUNTS);
  const again = await site.post({ image: IMAGE, method: "count", members: site.members });
  const same = await site.outcome(again.id);
  assert.equal(same.status, "completed");
  assert.deepEqual(same.runs.map(({ code }) => code), [usual, usual]);
  assert.deepEqual([...same.results].sort(), [1, 2]);
});
