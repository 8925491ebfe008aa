import { Hono } from "hono";
import { z } from "zod";
import { id, nullAsAbsent, text } from "../../../../shared/contract/fields.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent } from "../../../../shared/storage/idempotency.ts";
import type { TaskDeps } from "../../deps.ts";
import { createTasks, recipients } from "../../creation/create.ts";

const columnRequest = z.object({
  db_label: text.pipe(z.string().min(1)),
  collaboration_id: id,
  organizations: recipients,
  sheet_name: nullAsAbsent(text),
  query: nullAsAbsent(text),
});

export function columnRoutes(deps: TaskDeps): Hono<AppEnv> {
  const create = createTasks(deps);
  const routes = new Hono<AppEnv>();

  // Our nodes tell nobody what their databases look like, so the names of columns are always asked for by a task.
  routes.post(
    "/column",
    allow(["user"], "task:CREATE"),
    body(columnRequest),
    idempotent(deps.db),
    async function askForColumns(c) {
      const { db_label, collaboration_id, organizations, sheet_name, query } = c.req.valid("json");
      return await create(c, {
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
      });
    },
  );

  return routes;
}
