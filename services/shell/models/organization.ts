import type { Description, Row } from "../description.ts";
import { counted } from "../words.ts";
import { endSessions } from "./sessions.ts";
import { removeTasks } from "./task_removal.ts";

export const organization: Description = {
  name: "Organization",
  service: "identity",
  table: "organization",
  meaning: "A party that takes part with its own users, nodes and data.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "unique" },
    domain: { column: "domain", type: "text", meaning: "internet domain" },
    address1: { column: "address1", type: "text", meaning: "street and number" },
    address2: { column: "address2", type: "text", meaning: "second line of the address" },
    zipcode: { column: "zipcode", type: "text", meaning: "postal code" },
    country: { column: "country", type: "text", meaning: "country" },
    publicKey: {
      column: "public_key",
      type: "text",
      large: true,
      meaning: "base64 of the PEM with which inputs for it are encrypted; stored as received",
    },
    createdAt: { column: "created_at", type: "date", readOnly: true, meaning: "when it was made" },
  },
  virtuals: {},
  relations: {
    users: { kind: "back", model: "User", column: "organization_id", meaning: "its people" },
    roles: { kind: "back", model: "Role", column: "organization_id", meaning: "its own roles" },
    collaborations: {
      kind: "many",
      model: "Collaboration",
      assignable: false,
      through: {
        service: "collaboration",
        table: "collaboration_member",
        own: "organization_id",
        other: "collaboration_id",
      },
      meaning: "those it is a member of; set on the collaboration",
    },
    studies: {
      kind: "many",
      model: "Study",
      assignable: false,
      through: {
        service: "collaboration",
        table: "study_member",
        own: "organization_id",
        other: "study_id",
      },
      meaning: "those it is part of; set on the study",
    },
    nodes: {
      kind: "back",
      model: "Node",
      column: "organization_id",
      meaning: "one for each collaboration",
    },
    createdTasks: {
      kind: "back",
      model: "Task",
      column: "init_org_id",
      meaning: "tasks it started",
    },
    results: {
      kind: "back",
      model: "Result",
      column: "organization_id",
      meaning: "its shares of tasks, whoever started them",
    },
  },
  key: "name",
  lookups: { getByName: ["name"] },
  notes: [],
  statics: {},
  methods: {},
  written({ unit }, { id }) {
    unit.change("identity").emit("organization.changed", { organization_id: id as number });
  },
  async removal({ databases }, row) {
    const id = row.id as number;
    const [people] = await databases.identity<Row[]>`
      select (select count(*)::integer from "user" where organization_id = ${id}) as users,
             (select count(*)::integer from role where organization_id = ${id}) as roles`;
    const [places] = await databases.collaboration<Row[]>`
      select (select count(*)::integer from node where organization_id = ${id}) as nodes,
             (select count(*)::integer from collaboration_member where organization_id = ${id})
               as memberships`;
    const [work] = await databases.task<Row[]>`
      select (select count(*)::integer from task where init_org_id = ${id}) as tasks,
             (select count(*)::integer from result where organization_id = ${id}) as results`;
    return {
      services: ["identity", "collaboration", "task"],
      goes: counted({ ...people, ...places, ...work }),
      async run(unit) {
        const task = unit.change("task");
        const started = await task.tx<{ id: number }[]>`
          select id from task where init_org_id = ${id}`;
        await removeTasks(task, started.map((one) => one.id));
        await task.tx`delete from result where organization_id = ${id}`;
        await removePlaces(unit, id);
        const identity = unit.change("identity");
        const users = await identity.tx<{ id: number }[]>`
          select id from "user" where organization_id = ${id}`;
        const roles = await identity.tx<{ id: number }[]>`
          select id from role where organization_id = ${id}`;
        await endSessions(identity.tx, users.map((one) => one.id));
        await identity.tx`delete from organization where id = ${id}`;
        for (const one of users) {
          identity.emit("user.deleted", { user_id: one.id, organization_id: id });
        }
        for (const one of roles) identity.emit("role.deleted", { role_id: one.id });
        identity.emit("organization.deleted", { organization_id: id });
      },
    };
  },
};

/** Takes the organization's nodes, and its places in studies and collaborations. */
async function removePlaces(unit: Parameters<Removing>[0], id: number): Promise<void> {
  const { tx, emit } = unit.change("collaboration");
  const nodes = await tx<{ id: number; collaboration_id: number }[]>`
    delete from node where organization_id = ${id} returning id, collaboration_id`;
  await tx`delete from study_member where organization_id = ${id}`;
  const left = await tx<{ collaboration_id: number }[]>`
    delete from collaboration_member where organization_id = ${id} returning collaboration_id`;
  for (const node of nodes) {
    emit("node.deleted", {
      node_id: node.id,
      organization_id: id,
      collaboration_id: node.collaboration_id,
    });
    unit.shutOut(node.id);
  }
  for (const { collaboration_id } of left) emit("collaboration.changed", { collaboration_id });
}

type Removing = Awaited<ReturnType<NonNullable<Description["removal"]>>>["run"];
