/**
 * `db.import(path)`: brings the databases to what a file says, all of it or nothing. What the file does not mention
 * is left alone, so that the same file a second time changes nothing.
 * @module
 */
import { sha256Hex } from "../../../shared/service/digest.ts";
import { ShellError } from "../errors.ts";
import { explain } from "../explain.ts";
import { type AnyRecord, saveIn } from "../record.ts";
import type { Shell } from "../shell.ts";
import { inUnit, type Unit } from "../unit.ts";
import {
  type CollaborationEntry,
  type ImportDocument,
  ImportProblem,
  type OrganizationEntry,
  problemsIn,
  readImportFile,
  type UserEntry,
} from "./file.ts";
import { ImportReport } from "./report.ts";

export interface ImportOptions {
  /** Only says what would change. */
  dryRun?: boolean;
  /** Refuses a file with keys that are not known. */
  strict?: boolean;
}

/** How a sample task of the file is called; by this and its image it is found again. */
const SAMPLE_TASK = "Example task";
/** An empty object, as clients encode inputs. */
const NO_INPUT = new TextEncoder().encode("{}").toBase64();

/** Thrown to have everything rolled back after it was tried. */
class OnlyTried extends Error {}

export async function importFile(
  shell: Shell,
  path: unknown,
  { dryRun = false, strict = false }: ImportOptions = {},
): Promise<ImportReport> {
  if (typeof path !== "string") throw new ShellError(`db.import takes a path, such as "file.yaml"`);
  const file = await readImportFile(path, { strict });
  const report = new ImportReport(dryRun, file.warnings);
  try {
    await inUnit(shell, ["identity", "collaboration", "task"], async (unit) => {
      await createImporter(shell, unit, file, report, path).run();
      if (dryRun) throw new OnlyTried();
    });
  } catch (error) {
    if (!(error instanceof OnlyTried)) throw error;
  }
  return report;
}

function createImporter(
  shell: Shell,
  unit: Unit,
  file: ImportDocument,
  report: ImportReport,
  path: string,
) {
  const { models } = shell;
  const identity = unit.tx("identity");
  const collaborationTx = unit.tx("collaboration");

  /** Runs `work`, and says the line when the database refuses it. */
  async function inLine<Result>(at: PropertyKey[], work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ImportProblem) throw error;
      throw problemsIn(path, [`line ${file.lineOf(at)}: ${explain(error)}`]);
    }
  }

  /** Assigns what differs, saves, and reports. Empty values of the file leave a record alone. */
  async function settle(
    record: AnyRecord,
    label: string,
    values: Record<string, unknown>,
  ): Promise<AnyRecord> {
    const isNew = record.id === undefined;
    const wanted = Object.entries(values).filter(([, value]) =>
      value !== null && value !== undefined
    );
    const different = wanted.filter(([property, value]) => isNew || record[property] !== value);
    for (const [property, value] of different) record[property] = value;
    if (isNew || different.length > 0) await saveIn(unit, record);
    if (isNew) report.created(label);
    else if (different.length > 0) report.changed(label, different.map(([property]) => property));
    else report.unchanged(label);
    return record;
  }

  async function importOrganization(entry: OrganizationEntry, at: PropertyKey[]) {
    const { name, domain, address1, address2, zipcode, country, public_key } = entry;
    const organization = await inLine(at, async () =>
      await settle(
        await models.Organization.findOne({ name }) ?? new models.Organization({ name }),
        `organization ${name}`,
        { domain, address1, address2, zipcode, country, publicKey: public_key },
      ));
    for (const [place, user] of (entry.users ?? []).entries()) {
      const path = [...at, "users", place];
      await inLine([...path, "username"], () => importUser(user, organization, path));
    }
  }

  async function importUser(entry: UserEntry, organization: AnyRecord, at: PropertyKey[]) {
    const { username, firstname, lastname, email, password } = entry;
    const label = `user ${username}`;
    const found = await models.User.findOne({ username });
    const home = found && await found.organization as AnyRecord;
    if (found && home?.id !== organization.id) {
      report.warn(
        `line ${file.lineOf(at)}: ${username} exists in organization ${home?.name}; left alone`,
      );
      return report.unchanged(label);
    }
    const roles = entry.roles && await roleIds(entry.roles, organization, at);
    if (found) {
      const before = new Set((await found.roles as AnyRecord[]).map((role) => role.id));
      const other = roles && (roles.length !== before.size || roles.some((id) => !before.has(id)));
      await settle(found, label, { firstname, lastname, email, ...(other ? { roles } : {}) });
      return;
    }
    if (!password) throw new ShellError(`User: password is missing, and ${username} is new`);
    if (!roles) {
      report.warn(`line ${file.lineOf(at)}: ${username} has no roles in the file and gets Root`);
    }
    const user = new models.User({ username, organization });
    const values = { firstname, lastname, email, password };
    await settle(user, label, {
      ...values,
      roles: roles ?? await roleIds(["Root"], organization, at),
    });
  }

  /** A role of the hub, or of the organization itself. */
  async function roleIds(names: string[], { id }: AnyRecord, at: PropertyKey[]): Promise<number[]> {
    return await Promise.all(names.map(async (name, place) => {
      const [role] = await identity<{ id: number }[]>`
        select id from role
        where name = ${name} and (organization_id is null or organization_id = ${id})
        order by organization_id nulls last, id limit 1`;
      if (role) return role.id;
      return await inLine(
        [...at, "roles", place],
        () => Promise.reject(new ShellError(`there is no role ${JSON.stringify(name)}`)),
      );
    }));
  }

  async function importCollaboration(entry: CollaborationEntry, at: PropertyKey[]) {
    const { name, encrypted, participants } = entry;
    const label = `collaboration ${name}`;
    const members: number[] = [];
    for (const [place, participant] of participants.entries()) {
      const [organization] = await identity<{ id: number }[]>`
        select id from organization where name = ${participant.name}`;
      if (!organization) {
        throw problemsIn(path, [
          `line ${file.lineOf([...at, "participants", place, "name"])}: there is no organization ` +
          `${JSON.stringify(participant.name)}, neither in the file nor in the database`,
        ]);
      }
      members.push(organization.id);
    }
    const collaboration = await inLine(at, async () => {
      const found = await models.Collaboration.findOne({ name });
      if (!found) {
        const fresh = new models.Collaboration({ name });
        return await settle(fresh, label, { encrypted, organizations: members });
      }
      const before = (await found.organizations as AnyRecord[]).map((one) => one.id as number);
      const all = [...new Set([...before, ...members])];
      const organizations = all.length > before.length ? all : undefined;
      return await settle(found, label, { encrypted, organizations });
    });
    for (const [place, participant] of participants.entries()) {
      const { api_key } = participant;
      if (!api_key) {
        await warnOfNoNode(participant.name, members[place]!, collaboration, [
          ...at,
          "participants",
          place,
        ]);
        continue;
      }
      await inLine(
        [...at, "participants", place, "api_key"],
        () => importNode(participant.name, api_key, members[place]!, collaboration),
      );
    }
    await inLine([...at, "tasks"], () => importTasks(entry.tasks ?? [], members, collaboration));
  }

  async function warnOfNoNode(
    organizationName: string,
    organization: number,
    collaboration: AnyRecord,
    at: PropertyKey[],
  ) {
    const [found] = await collaborationTx`
      select 1 from node
      where organization_id = ${organization} and collaboration_id = ${collaboration.id as number}`;
    if (found) return;
    report.warn(
      `line ${file.lineOf(at)}: ${organizationName} has no node in ${collaboration.name}; ` +
        "give an api_key (a UUID), or make one with new db.Node({…}).save()",
    );
  }

  async function importNode(
    organizationName: string,
    apiKey: string,
    organization: number,
    collaboration: AnyRecord,
  ) {
    const name = `${organizationName} - ${collaboration.name} Node`;
    const [found] = await collaborationTx<{ id: number; name: string; api_key_sha256: string }[]>`
      select id, name, api_key_sha256 from node
      where organization_id = ${organization} and collaboration_id = ${collaboration.id as number}`;
    if (!found) {
      const node = new models.Node({ name, organization, collaboration });
      await settle(node, `node ${name}`, { apiKey });
    } else {
      const same = found.api_key_sha256 === await sha256Hex(apiKey);
      const node = await models.Node.findOne({ id: found.id });
      await settle(node!, `node ${found.name}`, same ? {} : { apiKey });
    }
  }

  /** As many sample tasks of each image as the file lists, with a share for each participant. */
  async function importTasks(images: string[], members: number[], collaboration: AnyRecord) {
    for (const [image, wanted] of Map.groupBy(images, (one) => one)) {
      const [{ count } = { count: 0 }] = await unit.tx("task")<{ count: number }[]>`
        select count(*)::integer as count from task
        where collaboration_id = ${collaboration.id as number} and image = ${image}
          and name = ${SAMPLE_TASK}`;
      for (let number = 1; number <= wanted.length; number++) {
        const label = `task ${number} with ${image} in ${collaboration.name}`;
        if (number <= count) report.unchanged(label);
        else await importTask(image, label, members, collaboration);
      }
    }
  }

  async function importTask(
    image: string,
    label: string,
    members: number[],
    collaboration: AnyRecord,
  ) {
    const nextRunId = (models.Task as unknown as { nextRunId(): Promise<number> }).nextRunId;
    const task = await settle(new models.Task({ name: SAMPLE_TASK, collaboration }), label, {
      description: "From an imported file",
      image,
      runId: await nextRunId(),
      database: "default",
      initiator: members[0],
    });
    for (const organization of members) {
      await saveIn(unit, new models.Result({ task, organization, input: NO_INPUT }));
    }
  }

  return {
    async run() {
      for (const [place, entry] of file.organizations.entries()) {
        await importOrganization(entry, ["organizations", place]);
      }
      for (const [place, entry] of file.collaborations.entries()) {
        await importCollaboration(entry, ["collaborations", place]);
      }
    },
  };
}
