import { hashPassword } from "../../identity/accounts/passwords.ts";
import type { Description, Row } from "../description.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../words.ts";
import { endSessions } from "./sessions.ts";
import { removeTasks } from "./task_removal.ts";

export const user: Description = {
  name: "User",
  service: "identity",
  table: "user",
  meaning: "A person who may log in.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    username: { column: "username", type: "text", required: true, meaning: "unique" },
    firstname: { column: "firstname", type: "text", meaning: "first name" },
    lastname: { column: "lastname", type: "text", meaning: "last name" },
    email: { column: "email", type: "text", meaning: "unique; where recovery mail goes" },
    failedLogins: {
      column: "failed_login_attempts",
      type: "integer",
      meaning: "wrong passwords in a row; 0 opens a locked account",
    },
    lastSeen: { column: "last_seen", type: "date", readOnly: true, meaning: "last request" },
    createdAt: { column: "created_at", type: "date", readOnly: true, meaning: "when it was made" },
  },
  virtuals: {
    password: {
      type: "text",
      settable: true,
      hidden: true,
      meaning: "required at first; only a hash is stored, and never shown",
    },
    secondFactor: {
      type: "boolean",
      meaning: "whether a second factor is set up",
      get: (row) => row.has_second_factor,
    },
  },
  extraColumns: (tx) => tx`otp_secret is not null as has_second_factor`,
  relations: {
    organization: {
      kind: "one",
      model: "Organization",
      column: "organization_id",
      required: true,
      meaning: "whom they belong to",
    },
    roles: {
      kind: "many",
      model: "Role",
      assignable: true,
      through: { service: "identity", table: "user_role", own: "user_id", other: "role_id" },
      meaning: "what they may do; a name, a role, or a list of either",
    },
    rules: {
      kind: "many",
      model: "Rule",
      assignable: true,
      through: { service: "identity", table: "user_rule", own: "user_id", other: "rule_id" },
      meaning: "what they may do besides their roles",
    },
    createdTasks: {
      kind: "back",
      model: "Task",
      column: "init_user_id",
      meaning: "tasks they started",
    },
  },
  key: "username",
  lookups: { getByUsername: ["username"], getByEmail: ["email"] },
  notes: [
    "A new password, or other roles or rules, ends the user's sessions: they have to log in again.",
  ],
  statics: {},
  methods: {
    setPassword: {
      usage: `setPassword("…")`,
      meaning: "a new password; save() stores its hash",
      // deno-lint-ignore require-await -- awaited at the prompt, like all that concerns the database
      async call(target, password: unknown) {
        target.password = requirePassword(password);
        return target;
      },
    },
  },
  async prepare({ given, columns, before }) {
    if (given.has("password")) {
      columns.password_hash = await hashPassword(requirePassword(given.get("password")));
      if (before) columns.failed_login_attempts = 0;
    }
  },
  async written({ unit, before, given }, row) {
    const { tx, emit } = unit.change("identity");
    const id = row.id as number;
    if (before && (given.has("password") || given.has("roles") || given.has("rules"))) {
      await endSessions(tx, [id]);
    }
    emit("user.changed", { user_id: id, organization_id: row.organization_id as number });
  },
  async removal({ databases }, row) {
    const id = row.id as number;
    const [work] = await databases.task<Row[]>`
      select count(*)::integer as tasks from task where init_user_id = ${id}`;
    return {
      services: ["identity", "task"],
      goes: counted({ ...work }),
      async run(unit) {
        const task = unit.change("task");
        const tasks = await task.tx<{ id: number }[]>`
          select id from task where init_user_id = ${id}`;
        await removeTasks(task, tasks.map((one) => one.id));
        const { tx, emit } = unit.change("identity");
        await endSessions(tx, [id]);
        await tx`delete from "user" where id = ${id}`;
        emit("user.deleted", { user_id: id, organization_id: row.organization_id as number });
      },
    };
  },
};

function requirePassword(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new ShellError("User: password must be text, and not empty");
}
