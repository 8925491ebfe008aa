/**
 * identity: organizations, users, roles, rules, tokens and broker credentials.
 *
 * Talks to collaboration (who is a member of what, which node holds a key) and task (what a container token may
 * say) by request over NATS. State is in Postgres alone; a replica can be killed at any moment.
 * @module
 */
import type { Hono } from "hono";
import { auditRequests } from "../../shared/storage/audit.ts";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { describeRoutes } from "../../shared/contract/openapi.ts";
import type { IdentityDeps } from "./deps.ts";
import { auditRoutes } from "./routes/audit.ts";
import { organizationRoutes } from "./routes/organization.ts";
import { passwordRoutes } from "./routes/password.ts";
import { roleRoutes } from "./routes/role.ts";
import { ruleRoutes } from "./routes/rule.ts";
import { tokenRoutes } from "./routes/token.ts";
import { userRoutes } from "./routes/user.ts";

export function createIdentityApp(deps: IdentityDeps): Hono<AppEnv> {
  const root = createApp(deps.log);
  root.get("/.well-known/jwks.json", async (c) => c.json({ keys: await deps.keys.publicKeys() }));
  const app = root.basePath("/api");
  app.use(auditRequests(deps.db));
  app.route("/", tokenRoutes(deps));
  app.route("/", organizationRoutes(deps));
  app.route("/", userRoutes(deps));
  app.route("/", roleRoutes(deps));
  app.route("/", ruleRoutes(deps));
  app.route("/", passwordRoutes(deps));
  app.route("/", auditRoutes(deps));
  app.get("/openapi.json", (c) => c.json(describeRoutes(app)));
  return app;
}
