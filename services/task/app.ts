/**
 * task: tasks and results, their dispatch to nodes, and what the nodes report.
 *
 * Talks to collaboration (where a task may run) by request over NATS; to nodes by dispatches that
 * nobody keeps and by answering their reports. A report is answered when it is committed. State is
 * in Postgres alone: a node asks for what it has not accepted.
 * @module
 */
import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { describeRoutes } from "../../shared/contract/openapi.ts";
import { auditRequests } from "../../shared/storage/audit.ts";
import type { TaskDeps } from "./deps.ts";
import { downloadBlob } from "./routes/blob/download.ts";
import { getBlobStatus } from "./routes/blob/status.ts";
import { uploadBlob } from "./routes/blob/upload.ts";
import { askForColumns } from "./routes/column/create.ts";
import { killNodeTasks } from "./routes/kill/node_tasks.ts";
import { killTask } from "./routes/kill/task.ts";
import { createPort } from "./routes/port/create.ts";
import { deletePorts } from "./routes/port/delete.ts";
import { getResult } from "./routes/result/get.ts";
import { listResults } from "./routes/result/list.ts";
import { editRun } from "./routes/run/edit.ts";
import { getRun } from "./routes/run/get.ts";
import { listRuns } from "./routes/run/list.ts";
import { createTask } from "./routes/task/create.ts";
import { deleteTask } from "./routes/task/delete.ts";
import { getTask } from "./routes/task/get.ts";
import { listTasks } from "./routes/task/list.ts";
import { getTaskStatus } from "./routes/task/status.ts";

const OPERATIONS = [
  listTasks,
  createTask,
  getTask,
  getTaskStatus,
  deleteTask,
  listRuns,
  getRun,
  editRun,
  listResults,
  getResult,
  killTask,
  killNodeTasks,
  getBlobStatus, // before the route that takes any word for the id of a blob
  uploadBlob,
  downloadBlob,
  createPort,
  deletePorts,
  askForColumns,
];

export function createTaskApp(deps: TaskDeps): Hono<AppEnv> {
  const app = createApp(deps.log).basePath("/api");
  app.use(auditRequests(deps.db));
  for (const operation of OPERATIONS) operation(app, deps);
  app.get("/openapi.json", (c) => c.json(describeRoutes(app)));
  return app;
}
