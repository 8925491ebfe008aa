import assert from "node:assert/strict";
import { routesOf } from "../../shared/contract/openapi.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { createCollaborationApp } from "./app.ts";
import type { CollaborationDeps } from "./deps.ts";

Deno.test("every route of collaboration declares what it answers", () => {
  const app = createCollaborationApp({ log: silentLogger } as CollaborationDeps);
  const routes = routesOf(app);
  assert.ok(routes.length > 30, `${routes.length} routes`);
  const silent = routes.filter(({ answer }) => !answer).map(({ method, path }) =>
    `${method} ${path}`
  );
  assert.deepEqual(silent, []);
});
