import { ShellError } from "../errors.ts";
import { describeModel, integer, many, text } from "./description.ts";

const readOnly = true;

export const rule = describeModel({
  name: "Rule",
  service: "identity",
  meaning: "The right to do one operation on one kind of resource, within one scope.",
  fields: {
    id: integer("number", { readOnly }),
    resource: text("what it is about, such as node", { readOnly, column: "name" }),
    scope: text("OWN, ORGANIZATION, COLLABORATION or GLOBAL", { readOnly }),
    operation: text("VIEW, EDIT, CREATE, DELETE, SEND or RECEIVE", { readOnly }),
    description: text("in words", { readOnly }),
  },
  relations: {
    roles: many("Role", "the roles that hold it", { through: "role_rule" }),
    users: many("User", "the users who hold it besides their roles", { through: "user_rule" }),
  },
  fixed: "the rules are part of the program; identity writes them at its start",
  statics: {
    getBy: {
      usage: `getBy("node", "organization", "view")`,
      meaning: "the rule of a resource, scope and operation",
      call(model, _tools, resource: unknown, scope: unknown, operation: unknown) {
        if ([resource, scope, operation].some((one) => typeof one !== "string")) {
          throw new ShellError("Rule.getBy needs a resource, a scope and an operation");
        }
        return model.findOne({
          resource: (resource as string).toLowerCase(),
          scope: (scope as string).toUpperCase(),
          operation: (operation as string).toUpperCase(),
        });
      },
    },
  },
});
