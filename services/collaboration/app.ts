/**
 * collaboration: collaborations, studies, nodes and their presence.
 *
 * Talks to identity (which organizations exist) by request over NATS, and hears from the broker which nodes are
 * connected. State is in Postgres alone; a replica can be killed at any moment.
 * @module
 */
import type { Hono } from "hono";
import { auditRequests } from "../../shared/audit.ts";
import type { Db } from "../../shared/db.ts";
import { type AppEnv, createApp } from "../../shared/http.ts";
import type { Logger } from "../../shared/log.ts";
import { describePaths } from "../../shared/openapi.ts";
import type { Outbox } from "../../shared/outbox.ts";
import type { Ask } from "../../shared/rpc_methods.ts";
import type { StoreClient } from "./algorithm_store.ts";
import { algorithmStoreRoutes } from "./routes/algorithm_store.ts";
import { collaborationRoutes } from "./routes/collaboration.ts";
import { nodeRoutes } from "./routes/node.ts";
import { studyRoutes } from "./routes/study.ts";

export interface CollaborationDeps {
  db: Db;
  outbox: Outbox;
  ask: Ask;
  log: Logger;
  /** This server's address as algorithm stores are to know it, when the operator has set one. */
  serverUrl?: string | undefined;
  stores?: StoreClient;
}

export function createCollaborationApp(deps: CollaborationDeps): Hono<AppEnv> {
  const app = createApp(deps.log).basePath("/api");
  app.use(auditRequests(deps.db));
  app.route("/", collaborationRoutes(deps));
  app.route("/", studyRoutes(deps));
  app.route("/", nodeRoutes(deps));
  app.route("/", algorithmStoreRoutes(deps));
  app.get("/openapi.json", (c) => c.json({ paths: describePaths(app) }));
  return app;
}
