import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { columnRequest } from "../../../../shared/contract/column.ts";
import { task } from "../../../../shared/contract/task.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent } from "../../../../shared/storage/idempotency.ts";
import { createAndShow } from "../../creation/create.ts";
import type { TaskDeps } from "../../deps.ts";

// Our nodes tell nobody what their databases look like, so the names of columns are always asked
// for by a task.
export function askForColumns(app: Hono<AppEnv>, deps: TaskDeps): void {
  app.post(
    "/column",
    allow(["user"], "task:CREATE"),
    body(columnRequest),
    answers(task, {
      status: 201,
      does: "Makes a task whose result is the names of the columns of a database.",
    }),
    idempotent(deps.db),
    async function askForColumns(c) {
      const { db_label, collaboration_id, organizations, sheet_name, query } = c.req.valid("json");
      return await createAndShow(deps, c, {
        name: "get_column_names",
        image: deps.settings.columnImage,
        collaboration_id,
        organizations,
        databases: [{
          label: db_label,
          sheet_name,
          query,
          preprocessing: undefined,
          arguments: undefined,
        }],
        study_id: undefined,
        description: undefined,
        store_id: undefined,
        server_url: undefined,
        timeout_seconds: undefined,
        keep_going: undefined,
        parent_attempt: undefined,
      });
    },
  );
}
