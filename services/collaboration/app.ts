/**
 * collaboration: collaborations, studies, nodes and their presence.
 *
 * Talks to identity (which organizations exist) and task (whether a collaboration has any) by request over NATS and to
 * algorithm stores over HTTP; hears from the broker which nodes are connected. State is in Postgres alone; a replica
 * can be killed at any moment.
 * @module
 */
import type { Hono } from "hono";
import { auditRequests } from "../../shared/storage/audit.ts";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { describeRoutes } from "../../shared/contract/openapi.ts";
import { DUPLICATES } from "./changes/duplicates.ts";
import type { CollaborationDeps } from "./deps.ts";
import { algorithmStoreRoutes } from "./routes/algorithm_store.ts";
import { collaborationRoutes } from "./routes/collaboration.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { nodeRoutes } from "./routes/node.ts";
import { payloadFormatRoutes } from "./routes/payload_format.ts";
import { addStudyOrganization } from "./routes/study/add_organization.ts";
import { createStudy } from "./routes/study/create.ts";
import { deleteStudy } from "./routes/study/delete.ts";
import { editStudy } from "./routes/study/edit.ts";
import { getStudy } from "./routes/study/get.ts";
import { listStudies } from "./routes/study/list.ts";
import { removeStudyOrganization } from "./routes/study/remove_organization.ts";

const OPERATIONS = [
  listStudies,
  createStudy,
  getStudy,
  editStudy,
  deleteStudy,
  addStudyOrganization,
  removeStudyOrganization,
];

export function createCollaborationApp(deps: CollaborationDeps): Hono<AppEnv> {
  const app = createApp(deps.log, { duplicates: DUPLICATES }).basePath("/api");
  app.use(auditRequests(deps.db));
  app.route("/", collaborationRoutes(deps));
  app.route("/", payloadFormatRoutes(deps));
  for (const operation of OPERATIONS) operation(app, deps);
  app.route("/", nodeRoutes(deps));
  app.route("/", metricsRoutes(deps));
  app.route("/", algorithmStoreRoutes(deps));
  app.get("/openapi.json", (c) => c.json(describeRoutes(app)));
  return app;
}
