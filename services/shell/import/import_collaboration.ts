/**
 * Collaborations of an import file, with the nodes of their participants and with sample tasks.
 * @module
 */
import { sha256Hex } from "../../../shared/service/digest.ts";
import * as operator from "../../collaboration/operator.ts";
import { createResult, nextRunId } from "../../task/operator.ts";
import { ShellError } from "../errors.ts";
import type { Row } from "../models/description.ts";
import { storeTask } from "../models/task.ts";
import type { CollaborationEntry } from "./file.ts";
import type { Path, Settling } from "./settle.ts";

/** How a sample task of the file is called; by this and its image it is found again. */
const SAMPLE_TASK = "Example task";
/** An empty object, as clients encode inputs. */
const NO_INPUT = new TextEncoder().encode("{}").toBase64();

interface Member {
  id: number;
  name: string;
}

interface Place {
  id: number;
  name: string;
}

export async function importCollaboration(
  settling: Settling,
  { name, encrypted, participants, tasks }: CollaborationEntry,
  at: Path,
): Promise<void> {
  const { inLine } = settling;
  const members: Member[] = [];
  for (const [place, participant] of participants.entries()) {
    const path = [...at, "participants", place, "name"];
    members.push(await inLine(path, () => memberOf(settling, participant.name)));
  }
  const place = {
    name,
    id: await inLine(at, () => settleMembers(settling, name, members, encrypted)),
  };
  for (const [number, { api_key }] of participants.entries()) {
    const path = [...at, "participants", number];
    const member = members[number]!;
    if (!api_key) await warnWithoutNode(settling, member, place, path);
    else {
      await inLine([...path, "api_key"], () => importNode(settling, api_key, member, place));
    }
  }
  await inLine([...at, "tasks"], () => importTasks(settling, tasks ?? [], members, place));
}

async function memberOf({ changes }: Settling, name: string): Promise<Member> {
  const [found] = await changes.identity.tx<Member[]>`
    select id, name from organization where name = ${name}`;
  if (found) return found;
  throw new ShellError(
    `there is no organization ${JSON.stringify(name)}, neither in the file nor in the database`,
  );
}

/**
 * Makes the collaboration, or adds the participants that are no members of it yet; returns its id.
 */
async function settleMembers(
  { changes: { collaboration }, settle }: Settling,
  name: string,
  participants: Member[],
  encrypted: boolean | null | undefined,
): Promise<number> {
  const [before] = await collaboration.tx<(Row & { members: number[] })[]>`
    select *, array(select organization_id from collaboration_member
      where collaboration_id = collaboration.id) as members
    from collaboration where name = ${name}`;
  const members = new Set(before?.members);
  for (const { id } of participants) members.add(id);
  const others = members.size > (before?.members.length ?? 0);
  return await settle({
    label: `collaboration ${name}`,
    before,
    wanted: { encrypted, ...(others ? { organization_ids: [...members] } : {}) },
    create: (values) =>
      operator.createCollaboration(collaboration, {
        name,
        encrypted: true,
        organization_ids: [],
        ...values,
      }),
    update: (id, values) => operator.updateCollaboration(collaboration, id, values),
  });
}

async function nodeAt(
  { changes }: Settling,
  member: Member,
  place: Place,
): Promise<Row | undefined> {
  const [node] = await changes.collaboration.tx<Row[]>`
    select id, name, api_key_sha256 from node
    where organization_id = ${member.id} and collaboration_id = ${place.id}`;
  return node;
}

async function warnWithoutNode(settling: Settling, member: Member, place: Place, at: Path) {
  if (await nodeAt(settling, member, place)) return;
  settling.report.warn(
    `line ${settling.lineOf(at)}: ${member.name} has no node in ${place.name}; ` +
      "give an api_key (a UUID), or make one with new db.Node({…}).save()",
  );
}

async function importNode(settling: Settling, apiKey: string, member: Member, place: Place) {
  const { changes: { collaboration }, settle } = settling;
  const before = await nodeAt(settling, member, place);
  const same = before?.api_key_sha256 === await sha256Hex(apiKey);
  const name = before?.name as string ?? `${member.name} - ${place.name} Node`;
  await settle({
    label: `node ${name}`,
    before,
    wanted: same ? {} : { api_key: apiKey },
    create: (values) =>
      operator.createNode(collaboration, {
        name,
        organization_id: member.id,
        collaboration_id: place.id,
        ...values,
      }),
    update: (id, values) => operator.updateNode(collaboration, id, values),
  });
}

/** As many sample tasks of each image as the file lists, with a share for each participant. */
async function importTasks(settling: Settling, images: string[], members: Member[], place: Place) {
  const { changes: { task }, report } = settling;
  for (const [image, wanted] of Map.groupBy(images, (one) => one)) {
    const [{ count } = { count: 0 }] = await task.tx<{ count: number }[]>`
      select count(*)::integer as count from task
      where collaboration_id = ${place.id} and image = ${image} and name = ${SAMPLE_TASK}`;
    for (let number = 1; number <= wanted.length; number++) {
      const label = `task ${number} with ${image} in ${place.name}`;
      if (number <= count) report.unchanged(label);
      else {
        await importTask(settling, image, members, place);
        report.created(label);
      }
    }
  }
}

async function importTask(
  { changes, now }: Settling,
  image: string,
  members: Member[],
  place: Place,
) {
  const { id: task_id } = await storeTask(changes.task, {
    name: SAMPLE_TASK,
    description: "From an imported file",
    image,
    job_id: await nextRunId(changes.task.tx),
    collaboration_id: place.id,
    init_org_id: members[0]!.id,
    database: "default",
  }, changes.identity.tx);
  for (const { id: organization_id } of members) {
    const share = { task_id, organization_id, node_id: null, status: "pending" as const };
    await createResult(changes.task, { ...share, input: NO_INPUT, assigned_at: now() });
  }
}
