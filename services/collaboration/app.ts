/**
 * collaboration: collaborations, studies, nodes and their presence.
 *
 * Talks to identity (which organizations exist) and task (whether a collaboration has any) by
 * request over NATS and to algorithm stores over HTTP; hears from the broker which nodes are
 * connected. State is in Postgres alone; a replica can be killed at any moment.
 * @module
 */
import type { Hono } from "hono";
import { answers } from "../../shared/contract/answers.ts";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { apiPart, describeRoutes } from "../../shared/contract/openapi.ts";
import { auditRequests } from "../../shared/storage/audit.ts";
import { DUPLICATES } from "./changes/duplicates.ts";
import type { CollaborationDeps } from "./deps.ts";
import { listAlgorithms } from "./routes/algorithm/list.ts";
import { tellAlgorithms } from "./routes/algorithm/tell.ts";
import { editStore } from "./routes/algorithm_store/edit.ts";
import { getStore } from "./routes/algorithm_store/get.ts";
import { linkStore } from "./routes/algorithm_store/link.ts";
import { listStores } from "./routes/algorithm_store/list.ts";
import { unlinkStore } from "./routes/algorithm_store/unlink.ts";
import { addNode } from "./routes/collaboration/add_node.ts";
import { addOrganization } from "./routes/collaboration/add_organization.ts";
import { createCollaboration } from "./routes/collaboration/create.ts";
import { deleteCollaboration } from "./routes/collaboration/delete.ts";
import { editCollaboration } from "./routes/collaboration/edit.ts";
import { getCollaboration } from "./routes/collaboration/get.ts";
import { listCollaborations } from "./routes/collaboration/list.ts";
import { removeNode } from "./routes/collaboration/remove_node.ts";
import { removeOrganization } from "./routes/collaboration/remove_organization.ts";
import { collectMetrics } from "./routes/metrics/collect.ts";
import { getMetrics } from "./routes/metrics/get.ts";
import { reportMetrics } from "./routes/metrics/report.ts";
import { createNode } from "./routes/node/create.ts";
import { deleteNode } from "./routes/node/delete.ts";
import { editNode } from "./routes/node/edit.ts";
import { getNode } from "./routes/node/get.ts";
import { listNodes } from "./routes/node/list.ts";
import { resetNodeKey } from "./routes/node/reset_key.ts";
import { listPayloadFormats } from "./routes/payload_format/list.ts";
import { addStudyOrganization } from "./routes/study/add_organization.ts";
import { createStudy } from "./routes/study/create.ts";
import { deleteStudy } from "./routes/study/delete.ts";
import { editStudy } from "./routes/study/edit.ts";
import { getStudy } from "./routes/study/get.ts";
import { listStudies } from "./routes/study/list.ts";
import { removeStudyOrganization } from "./routes/study/remove_organization.ts";
import { listWitnessed } from "./routes/witness/list.ts";
import { tellWitnessed } from "./routes/witness/tell.ts";

const OPERATIONS = [
  listCollaborations,
  createCollaboration,
  getCollaboration,
  editCollaboration,
  deleteCollaboration,
  addOrganization,
  removeOrganization,
  addNode,
  removeNode,
  listPayloadFormats,

  listStudies,
  createStudy,
  getStudy,
  editStudy,
  deleteStudy,
  addStudyOrganization,
  removeStudyOrganization,

  listNodes,
  createNode,
  getNode,
  editNode,
  deleteNode,
  resetNodeKey,
  reportMetrics,
  tellWitnessed,
  listWitnessed,
  getMetrics,
  collectMetrics,
  tellAlgorithms,
  listAlgorithms,

  listStores,
  linkStore,
  getStore,
  editStore,
  unlinkStore,
];

export function createCollaborationApp(deps: CollaborationDeps): Hono<AppEnv> {
  const app = createApp(deps.log, { duplicates: DUPLICATES }).basePath("/api");
  app.use(auditRequests(deps.db));
  for (const operation of OPERATIONS) operation(app, deps);
  app.get("/openapi.json", answers(apiPart), (c) => c.json(describeRoutes(app)));
  return app;
}
