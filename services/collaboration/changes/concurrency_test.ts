import assert from "node:assert/strict";
import { useCollaboration } from "../../../tests/support/collaboration.ts";

const hub = useCollaboration();

/**
 * Things done to one collaboration at once, some of which must lose; returns what they answered.
 */
async function collide(withDeletion: boolean): Promise<string[]> {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const id = await hub.collaboration([a, b]);
  const elsewhere = await hub.collaboration([a, b]);
  const [study, other] = [await hub.study(id, [a]), await hub.study(id, [a, b])];
  const node = await hub.node(a, id);
  const as = await hub.root();
  const organization_ids = [a, b];
  const name = () => crypto.randomUUID();
  const requests: [string, string, unknown?][] = [
    ["POST", "/node", { name: name(), collaboration_id: id, organization_id: b }],
    ["POST", "/study", { name: name(), collaboration_id: id, organization_ids }],
    ["PATCH", `/study/${study}`, { name: name(), organization_ids }],
    ["POST", `/study/${study}/organization`, { id: b }],
    ["DELETE", `/study/${other}/organization`, { id: b }],
    ["DELETE", `/collaboration/${id}/organization`, { id: b }],
    ["PATCH", `/collaboration/${id}`, { organization_ids: [a] }],
    ["POST", `/collaboration/${id}/organization`, { id: b }],
    ["PATCH", `/node/${node.id}`, { name: name() }],
    ["POST", `/collaboration/${elsewhere}/node`, { id: node.id }],
    ["POST", "/recover/node", { id: node.id }],
    ["DELETE", `/node/${node.id}`],
    ["DELETE", `/study/${other}`],
  ];
  if (withDeletion) requests.push(["DELETE", `/collaboration/${id}?delete_dependents=true`]);
  const shuffled = requests.toSorted(() => Math.random() - 0.5);
  const answers = await Promise.all(
    shuffled.map(async ([method, path, body]) => {
      const { status } = await hub.call(method, path, { as, ...(body ? { body } : {}) });
      return `${method} ${path.replace(/\d+/g, "N")} ${status}`;
    }),
  );
  const db = hub.dbs.collaboration;
  const outside = await db`
    select from study_member join study on study.id = study_id
    where not exists (select from collaboration_member member
      where member.collaboration_id = study.collaboration_id
        and member.organization_id = study_member.organization_id)`;
  assert.equal(outside.length, 0, "an organization is in a study but not in its collaboration");
  return answers;
}

Deno.test("what is done to a collaboration at once is done or refused, never broken", async () => {
  const broken: string[] = [];
  for (let round = 0; round < 40; round++) {
    const answers = await collide(round % 2 === 0);
    broken.push(...answers.filter((answer) => Number(answer.split(" ").at(-1)) >= 500));
  }
  assert.deepEqual(broken, []);
});
