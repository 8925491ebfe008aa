import * as operator from "../../collaboration/operator.ts";
import { back, countOf, describeModel, id, many, one, text } from "./description.ts";

export const study = describeModel({
  name: "Study",
  service: "collaboration",
  meaning: "A named part of a collaboration's members.",
  fields: { id, name: text("unique", { required: true }) },
  relations: {
    collaboration: one("Collaboration", "whose part it is", { required: true }),
    organizations: many("Organization", "its members", {
      through: "study_member",
      given: "organization_ids",
    }),
    tasks: back("Task", "what was asked in it"),
  },
  key: "name",
  create: (change, values) => operator.createStudy(change, { organization_ids: [], ...values }),
  update: operator.updateStudy,
  remove: operator.removeStudy,
  dependents: async ({ task }, id) => ({
    later: await countOf(task, id, { tasks: ["task", "study_id"] }),
  }),
});
