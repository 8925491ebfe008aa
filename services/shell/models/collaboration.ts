import type { Description, Row } from "../description.ts";
import { counted } from "../words.ts";
import { removeTasks } from "./task_removal.ts";

export const collaboration: Description = {
  name: "Collaboration",
  service: "collaboration",
  table: "collaboration",
  meaning: "Organizations that agreed to compute together.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "unique" },
    encrypted: {
      column: "encrypted",
      type: "boolean",
      meaning: "whether inputs and results are encrypted; true unless given",
    },
    createdAt: { column: "created_at", type: "date", readOnly: true, meaning: "when it was made" },
  },
  virtuals: {},
  relations: {
    organizations: {
      kind: "many",
      model: "Organization",
      assignable: true,
      through: {
        service: "collaboration",
        table: "collaboration_member",
        own: "collaboration_id",
        other: "organization_id",
      },
      meaning: "its members",
    },
    nodes: {
      kind: "back",
      model: "Node",
      column: "collaboration_id",
      meaning: "one for each member",
    },
    tasks: {
      kind: "back",
      model: "Task",
      column: "collaboration_id",
      meaning: "what was asked in it",
    },
    studies: {
      kind: "back",
      model: "Study",
      column: "collaboration_id",
      meaning: "named parts of its members",
    },
  },
  key: "name",
  lookups: { getByName: ["name"] },
  notes: [
    "encrypted: false does not by itself make nodes send plain results: each node's own configuration says " +
    "what it expects, and a node that differs does no work there.",
  ],
  statics: {},
  methods: {},
  // deno-lint-ignore require-await -- one signature for all models
  async prepare({ columns, before }) {
    if (!before) columns.encrypted ??= true;
  },
  written({ unit }, { id }) {
    unit.change("collaboration").emit("collaboration.changed", { collaboration_id: id as number });
  },
  async removal({ databases }, row) {
    const id = row.id as number;
    const [parts] = await databases.collaboration<Row[]>`
      select (select count(*)::integer from node where collaboration_id = ${id}) as nodes,
             (select count(*)::integer from study where collaboration_id = ${id}) as studies`;
    const [work] = await databases.task<Row[]>`
      select count(*)::integer as tasks from task where collaboration_id = ${id}`;
    return {
      services: ["collaboration", "task"],
      goes: counted({ ...parts, ...work }),
      async run(unit) {
        const task = unit.change("task");
        const tasks = await task.tx<{ id: number }[]>`
          select id from task where collaboration_id = ${id}`;
        await removeTasks(task, tasks.map((one) => one.id));
        const { tx, emit } = unit.change("collaboration");
        const nodes = await tx<{ id: number; organization_id: number }[]>`
          delete from node where collaboration_id = ${id} returning id, organization_id`;
        const studies = await tx<{ id: number }[]>`
          select id from study where collaboration_id = ${id}`;
        await tx`delete from collaboration where id = ${id}`;
        for (const { id: node_id, organization_id } of nodes) {
          emit("node.deleted", { node_id, organization_id, collaboration_id: id });
          unit.shutOut(node_id);
        }
        for (const one of studies) {
          emit("study.deleted", { study_id: one.id, collaboration_id: id });
        }
        emit("collaboration.deleted", { collaboration_id: id });
      },
    };
  },
};
