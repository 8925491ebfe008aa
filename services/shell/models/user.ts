import * as operator from "../../identity/operator.ts";
import { ShellError } from "../errors.ts";
import {
  back,
  boolean,
  countOf,
  createdAt,
  date,
  describeModel,
  id,
  integer,
  many,
  one,
  secret,
  text,
} from "./description.ts";

export const user = describeModel({
  name: "User",
  service: "identity",
  meaning: "A person who may log in.",
  fields: {
    id,
    username: text("unique", { required: true }),
    firstname: text("first name"),
    lastname: text("last name"),
    email: text("unique; where recovery mail goes"),
    failedLogins: integer("wrong passwords in a row; 0 opens a locked account", {
      column: "failed_login_attempts",
      minor: true,
    }),
    lastSeen: date("last request", { readOnly: true, minor: true }),
    createdAt,
    password: secret("only a hash is stored, and never shown", { required: true }),
    secondFactor: boolean("whether a second factor is set up", {
      minor: true,
      virtual: true,
      readOnly: true,
      get: (row) => row.has_second_factor,
    }),
  },
  extraColumns: (tx) => tx`otp_secret is not null as has_second_factor`,
  relations: {
    organization: one("Organization", "whom they belong to", { required: true }),
    roles: many("Role", "what they may do; a name, a role, or a list of either", {
      through: "user_role",
      given: "roles",
      shown: true,
    }),
    rules: many("Rule", "what they may do besides their roles", {
      through: "user_rule",
      given: "rules",
    }),
    createdTasks: back("Task", "tasks they started", "init_user_id"),
  },
  key: "username",
  lookups: { getByEmail: ["email"] },
  notes: [
    "A new password, or a right less, ends the user's sessions: they have to log in again.",
  ],
  methods: {
    setPassword: {
      usage: `setPassword("…")`,
      meaning: "a new password; save() stores its hash",
      // deno-lint-ignore require-await -- awaited at the prompt, like all that concerns the database
      async call(target, _tools, password: unknown) {
        target.password = password ?? "";
        return target;
      },
    },
    removeSecondFactor: {
      usage: "removeSecondFactor()",
      meaning: "at once, for somebody who has lost it: their log-ins end; where the hub asks for " +
        "one, the next log-in sets a new one up",
      async call(target, { databases, change }) {
        const { id } = target;
        if (id === undefined) {
          throw new ShellError("User: it is not stored; await its save() first");
        }
        const [stored] = await databases.identity<{ has: boolean }[]>`
          select otp_secret is not null as has from "user" where id = ${id}`;
        if (!stored) throw new ShellError(`User ${id} does not exist any more`);
        if (!stored.has) throw new ShellError(`User ${id} has no second factor`);
        await change("identity", (one) => operator.removeSecondFactor(one, id));
        return await target.reload();
      },
    },
  },
  create: operator.createUser,
  update: operator.updateUser,
  remove: operator.removeUser,
  dependents: async ({ task }, id) => ({
    later: await countOf(task, id, { tasks: ["task", "init_user_id"] }),
  }),
});
