import * as operator from "../../collaboration/operator.ts";
import { back, boolean, countOf, createdAt, describeModel, id, many, text } from "./description.ts";

export const collaboration = describeModel({
  name: "Collaboration",
  service: "collaboration",
  meaning: "Organizations that agreed to compute together.",
  fields: {
    id,
    name: text("unique", { required: true }),
    encrypted: boolean("whether inputs and results are encrypted; true unless given"),
    createdAt,
  },
  relations: {
    organizations: many("Organization", "its members", {
      through: "collaboration_member",
      given: "organization_ids",
    }),
    nodes: back("Node", "one for each member"),
    tasks: back("Task", "what was asked in it"),
    studies: back("Study", "named parts of its members"),
  },
  key: "name",
  notes: [
    "encrypted: false does not by itself make nodes send plain results: each node's own configuration says " +
    "what it expects, and a node that differs does no work there.",
    "A member that is taken out leaves its studies, and its nodes there are deleted.",
  ],
  create: (change, { encrypted, ...values }) =>
    operator.createCollaboration(change, {
      organization_ids: [],
      ...values,
      encrypted: encrypted ?? true,
    }),
  update: operator.updateCollaboration,
  remove: operator.removeCollaboration,
  async dependents({ collaboration, task }, id) {
    const column = "collaboration_id";
    return {
      atOnce: await countOf(collaboration, id, {
        nodes: ["node", column],
        studies: ["study", column],
      }),
      later: await countOf(task, id, { tasks: ["task", column] }),
    };
  },
});
