import type { Description, Row } from "../description.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../words.ts";
import { endSessionsOfRole } from "./sessions.ts";

export const role: Description = {
  name: "Role",
  service: "identity",
  table: "role",
  meaning: "A named set of rules that users can have.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "its name" },
    description: { column: "description", type: "text", meaning: "what it is for" },
    isDefault: {
      column: "is_default_role",
      type: "boolean",
      readOnly: true,
      meaning: "one of the hub's own",
    },
  },
  virtuals: {},
  relations: {
    organization: {
      kind: "one",
      model: "Organization",
      column: "organization_id",
      meaning: "whose role it is; none: everybody's",
    },
    rules: {
      kind: "many",
      model: "Rule",
      assignable: true,
      through: { service: "identity", table: "role_rule", own: "role_id", other: "rule_id" },
      meaning: "what it allows",
    },
    users: {
      kind: "many",
      model: "User",
      assignable: false,
      through: { service: "identity", table: "user_role", own: "role_id", other: "user_id" },
      meaning: "who has it; set on the user",
    },
  },
  key: "name",
  lookups: { getByName: ["name"] },
  notes: [
    "Changes of the hub's own roles last until identity starts again: it writes them as its catalogue has them.",
  ],
  statics: {},
  methods: {},
  // deno-lint-ignore require-await -- one signature for all models
  async prepare({ columns, before }) {
    // The database's default; what is left out must not become null.
    if (!before) columns.description ??= "";
  },
  async written({ unit, before, given }, row) {
    const { tx, emit } = unit.change("identity");
    const id = row.id as number;
    if (before && given.has("rules")) await endSessionsOfRole(tx, id);
    emit("role.changed", { role_id: id });
  },
  async removal({ databases }, row) {
    const id = row.id as number;
    const [links] = await databases.identity<Row[]>`
      select count(*)::integer as users from user_role where role_id = ${id}`;
    return {
      services: ["identity"],
      goes: counted({ ...links }).map((one) => `it from ${one}`),
      ...(row.is_default_role
        ? { forbidden: "it is one of the hub's own roles, which identity needs" }
        : {}),
      async run(unit) {
        const { tx, emit } = unit.change("identity");
        await endSessionsOfRole(tx, id);
        await tx`delete from role where id = ${id}`;
        emit("role.deleted", { role_id: id });
      },
    };
  },
};

export const rule: Description = {
  name: "Rule",
  service: "identity",
  table: "rule",
  meaning: "The right to do one operation on one kind of resource, within one scope.",
  fields: {
    id: { column: "id", type: "integer", readOnly: true, meaning: "number" },
    resource: {
      column: "name",
      type: "text",
      readOnly: true,
      meaning: "what it is about, such as node",
    },
    scope: {
      column: "scope",
      type: "text",
      readOnly: true,
      meaning: "OWN, ORGANIZATION, COLLABORATION or GLOBAL",
    },
    operation: {
      column: "operation",
      type: "text",
      readOnly: true,
      meaning: "VIEW, EDIT, CREATE, DELETE, SEND or RECEIVE",
    },
    description: { column: "description", type: "text", readOnly: true, meaning: "in words" },
  },
  virtuals: {},
  relations: {
    roles: {
      kind: "many",
      model: "Role",
      assignable: false,
      through: { service: "identity", table: "role_rule", own: "rule_id", other: "role_id" },
      meaning: "the roles that hold it",
    },
    users: {
      kind: "many",
      model: "User",
      assignable: false,
      through: { service: "identity", table: "user_rule", own: "rule_id", other: "user_id" },
      meaning: "the users who hold it besides their roles",
    },
  },
  lookups: {},
  fixed: "the rules are part of the program; identity writes them at its start",
  notes: [],
  statics: {
    getBy: {
      usage: `getBy("node", "organization", "view")`,
      meaning: "the rule of a resource, scope and operation",
      call(model, resource: unknown, scope: unknown, operation: unknown) {
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
  methods: {},
};
