/**
 * Results that wait for a person, with everything real around them: what the API and the live feed
 * show meanwhile, and what leaves in an encrypted collaboration.
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { newPrivateKey, readPrivateKey, readPublicKey } from "../services/node/encryption/keys.ts";
import { createSeal, openSealed, sealText } from "../services/node/encryption/sealed.ts";
import { runHeld, type Said } from "../services/node/disclosure/held_commands.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json, type Member, type Site } from "./site.ts";

const stack = useTestStack();
const SECRET = 987_654_321;

interface HeldSite {
  site: Site;
  member: Member;
  key: string;
  post(): Promise<Json>;
  /** The owner's command. */
  type(...words: string[]): Promise<Said>;
}

/** One organization whose node holds what algorithms return that it does not trust. */
async function heldSite(): Promise<HeldSite> {
  const key = await newPrivateKey(2048);
  const path = await Deno.makeTempFile({ dir: stack().folder, suffix: ".pem" });
  await Deno.writeTextFile(path, key);
  const site = await createSite(stack(), {
    data: [`secret\n${SECRET}\n`],
    encrypted: true,
    node: {
      encryption: { enabled: true, private_key: path },
      disclosure: { profile: "datashield", unlisted: "hold" },
    },
  });
  const member = site.members[0]!;
  await site.startNode(member);
  const { researcher } = site;
  const { public_key } = await researcher.get(`/organization/${member.id}`);
  const call = new TextEncoder().encode(JSON.stringify({ method: "rows" }));
  return {
    site,
    member,
    key,
    post: () =>
      researcher.post("/task", {
        name: "held",
        image: "deno:leaky@1.0.0",
        collaboration_id: site.collaborationId,
        organizations: [{
          id: member.id,
          input: sealText(call, createSeal(readPublicKey(public_key))),
        }],
        databases: [{ label: "default" }],
      }),
    type: (...words) =>
      runHeld({
        dataFolder: `${dirname(member.config)}/node-data`,
        words,
        reason: "looked at by two people",
      }),
  };
}

async function waits({ site: { researcher } }: HeldSite, task: Json): Promise<Json> {
  return await waitFor(async () => {
    const [run] = (await researcher.get(`/run?task_id=${task.id}`)).data;
    return run.waiting === null ? undefined : run;
  }, { what: "the result to wait", timeout: 60_000 });
}

Deno.test("a held result is shown as waiting, leaves encrypted when it is released, and is nowhere before", async () => {
  const held = await heldSite();
  const { site: { researcher }, member, key, type } = held;
  const task = await held.post();
  const run = await waits(held, task);
  assert.deepEqual(
    [run.status, run.waiting],
    ["active", `waiting for release at ${member.name}`],
  );
  const shown = await researcher.get(`/task/${task.id}`);
  assert.deepEqual([shown.status, shown.waiting], ["active", run.waiting]);
  const [listed] = (await researcher.get(`/task?collaboration_id=${task.collaboration.id}`)).data;
  assert.equal(listed.waiting, run.waiting);
  const [before] = (await researcher.get(`/result?task_id=${task.id}`)).data;
  assert.ok(!before.result);
  assert.ok(!JSON.stringify([run, shown, before]).includes(String(SECRET)));

  assert.match((await type("show", `${run.id}`)).text, new RegExp(`\\b${SECRET}\\b`));
  assert.ok(!(await type()).text.includes(String(SECRET)));
  assert.equal((await type("release", `${run.id + 1}`)).code, 1);
  assert.equal((await type("release", `${run.id}`)).code, 0);
  const over = await waitFor(async () => {
    const now = await researcher.get(`/run/${run.id}`);
    return now.status === "active" ? undefined : now;
  }, { what: "the result to leave" });
  assert.deepEqual([over.status, over.waiting, over.held_since], ["completed", null, null]);
  const [{ result }] = (await researcher.get(`/result?task_id=${task.id}`)).data;
  assert.ok(!atob(result.split("$").at(-1)).includes(String(SECRET)));
  const { content } = await openSealed(result, readPrivateKey(key), {
    unsigned() {},
    signed: () => Promise.reject(new Error("it is for a person's program")),
  });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(content)), { values: [SECRET] });
  assert.equal((await researcher.get(`/task/${task.id}`)).waiting, null);
});

Deno.test("a held result that is refused, killed or deleted leaves no trace but the owner's reason", async () => {
  const held = await heldSite();
  const { site: { admin, researcher }, member, type } = held;
  const [refused, killed, deleted] = [await held.post(), await held.post(), await held.post()];
  const runs = [await waits(held, refused), await waits(held, killed), await waits(held, deleted)];
  const files = async () =>
    (await Array.fromAsync(Deno.readDir(`${dirname(member.config)}/node-data/held`))).length;
  assert.equal(await files(), 6);
  await type("refuse", `${runs[0]!.id}`);
  await admin.post("/kill/task", { id: killed.id });
  await admin.request("DELETE", `/task/${deleted.id}`);
  await waitFor(async () => await files() === 0, { what: "all of it to be gone", timeout: 30_000 });
  const run = await waitFor(async () => {
    const now = await researcher.get(`/run/${runs[0]!.id}`);
    return now.status === "active" ? undefined : now;
  }, { what: "the refusal" });
  assert.equal(run.status, "not allowed");
  assert.match(run.log, /Refused at release: looked at by two people/);
  assert.ok(!run.log.includes(String(SECRET)));
  assert.equal((await researcher.get(`/task/${killed.id}/status`)).status, "killed by user");
  assert.equal((await type()).text, "No result waits for release.");
});
