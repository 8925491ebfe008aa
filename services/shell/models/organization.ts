import * as operator from "../../identity/operator.ts";
import { back, countOf, createdAt, describeModel, id, many, text } from "./description.ts";

export const organization = describeModel({
  name: "Organization",
  service: "identity",
  meaning: "A party that takes part with its own users, nodes and data.",
  fields: {
    id,
    name: text("unique", { required: true }),
    domain: text("internet domain"),
    address1: text("street and number"),
    address2: text("second line of the address"),
    zipcode: text("postal code"),
    country: text("country"),
    publicKey: text(
      "base64 of the PEM with which inputs for it are encrypted; stored as received",
      { large: true },
    ),
    createdAt,
  },
  relations: {
    users: back("User", "its people"),
    roles: back("Role", "its own roles"),
    collaborations: many("Collaboration", "those it is a member of; set on the collaboration", {
      through: "collaboration_member",
      service: "collaboration",
    }),
    studies: many("Study", "those it is part of; set on the study", {
      through: "study_member",
      service: "collaboration",
    }),
    nodes: back("Node", "one for each collaboration"),
    createdTasks: back("Task", "tasks it started", "init_org_id"),
    results: back("Result", "its shares of tasks, whoever started them"),
  },
  key: "name",
  create: operator.createOrganization,
  update: operator.updateOrganization,
  remove: operator.removeOrganization,
  async dependents({ identity, collaboration, task }, id) {
    const organization = "organization_id";
    return {
      atOnce: await countOf(identity, id, {
        users: ["user", organization],
        roles: ["role", organization],
      }),
      later: [
        ...await countOf(collaboration, id, {
          nodes: ["node", organization],
          memberships: ["collaboration_member", organization],
        }),
        ...await countOf(task, id, { tasks: ["task", "init_org_id"] }),
      ],
    };
  },
});
