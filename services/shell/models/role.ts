import * as operator from "../../identity/operator.ts";
import { boolean, countOf, describeModel, id, many, one, text } from "./description.ts";

export const role = describeModel({
  name: "Role",
  service: "identity",
  meaning: "A named set of rules that users can have.",
  fields: {
    id,
    name: text("its name", { required: true }),
    description: text("what it is for"),
    isDefault: boolean("one of the hub's own", { column: "is_default_role", readOnly: true }),
  },
  relations: {
    organization: one("Organization", "whose role it is; none: everybody's"),
    rules: many("Rule", "what it allows", { through: "role_rule", given: "rules" }),
    users: many("User", "who has it; set on the user", { through: "user_role" }),
  },
  key: "name",
  notes: [
    "Changes of the hub's own roles last until identity starts again: it writes them as its catalogue has them.",
  ],
  create: (change, { description, ...values }) =>
    operator.createRole(change, { rules: [], ...values, description: description ?? "" }),
  update: operator.updateRole,
  remove: operator.removeRole,
  async dependents({ identity }, id) {
    const users = await countOf(identity, id, { users: ["user_role", "role_id"] });
    return { atOnce: users.map((one) => `it from ${one}`) };
  },
  forbidden: (row) =>
    row.is_default_role ? "it is one of the hub's own roles, which identity needs" : undefined,
});
