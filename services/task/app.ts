/**
 * task: tasks and results, their dispatch to nodes, and what the nodes report.
 *
 * Talks to collaboration (where a task may run) by request over NATS; to nodes by the DISPATCH stream and by
 * answering their reports. A report is answered when it is committed. State is in Postgres alone: streams and
 * consumers can be lost, and are made again from it.
 * @module
 */
import type { Hono } from "hono";
import { auditRequests } from "../../shared/storage/audit.ts";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { describeRoutes } from "../../shared/contract/openapi.ts";
import type { TaskDeps } from "./deps.ts";
import { blobRoutes } from "./routes/blob/blobstream.ts";
import { columnRoutes } from "./routes/column/create.ts";
import { killRoutes } from "./routes/kill/kill.ts";
import { portRoutes } from "./routes/port/port.ts";
import { resultRoutes } from "./routes/result/result.ts";
import { runRoutes } from "./routes/run/run.ts";
import { taskRoutes } from "./routes/task/task.ts";

export function createTaskApp(deps: TaskDeps): Hono<AppEnv> {
  const app = createApp(deps.log).basePath("/api");
  app.use(auditRequests(deps.db));
  app.route("/", taskRoutes(deps));
  app.route("/", runRoutes(deps));
  app.route("/", resultRoutes(deps));
  app.route("/", killRoutes(deps));
  app.route("/", blobRoutes(deps));
  app.route("/", portRoutes(deps));
  app.route("/", columnRoutes(deps));
  app.get("/openapi.json", (c) => c.json(describeRoutes(app)));
  return app;
}
