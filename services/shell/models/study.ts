import type { Description, Row } from "../description.ts";
import { counted } from "../words.ts";
import { removeTasks } from "./task_removal.ts";

export const study: Description = {
  name: "Study",
  service: "collaboration",
  table: "study",
  meaning: "A named part of a collaboration's members.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "unique" },
  },
  virtuals: {},
  relations: {
    collaboration: {
      kind: "one",
      model: "Collaboration",
      column: "collaboration_id",
      required: true,
      meaning: "whose part it is",
    },
    organizations: {
      kind: "many",
      model: "Organization",
      assignable: true,
      through: {
        service: "collaboration",
        table: "study_member",
        own: "study_id",
        other: "organization_id",
      },
      meaning: "its members",
    },
    tasks: { kind: "back", model: "Task", column: "study_id", meaning: "what was asked in it" },
  },
  key: "name",
  lookups: { getByName: ["name"] },
  notes: [],
  statics: {},
  methods: {},
  written({ unit }, row) {
    unit.change("collaboration").emit("study.changed", {
      study_id: row.id as number,
      collaboration_id: row.collaboration_id as number,
    });
  },
  async removal({ databases }, row) {
    const id = row.id as number;
    const [work] = await databases.task<Row[]>`
      select count(*)::integer as tasks from task where study_id = ${id}`;
    return {
      services: ["collaboration", "task"],
      goes: counted({ ...work }),
      async run(unit) {
        const task = unit.change("task");
        const tasks = await task.tx<{ id: number }[]>`select id from task where study_id = ${id}`;
        await removeTasks(task, tasks.map((one) => one.id));
        const { tx, emit } = unit.change("collaboration");
        await tx`delete from study where id = ${id}`;
        emit("study.deleted", {
          study_id: id,
          collaboration_id: row.collaboration_id as number,
        });
      },
    };
  },
};
