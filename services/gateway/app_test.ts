import assert from "node:assert/strict";
import { silentLogger } from "../../shared/service/log.ts";
import { createGatewayApp } from "./app.ts";
import type { GatewayDeps } from "./deps.ts";

function preflight(corsOrigins: string[], origin: string) {
  // A preflight is answered before any service or principal is needed.
  const app = createGatewayApp({ corsOrigins, log: silentLogger, maxBody: 1 } as GatewayDeps);
  const headers = { origin, "access-control-request-method": "PATCH" };
  return app.request("/api/user/1", { method: "OPTIONS", headers });
}

Deno.test("createGatewayApp() lets in browsers from the configured origins only (GHSA-4946-85pr-fvxh)", async () => {
  const allowed = async (origins: string[], origin: string) =>
    (await preflight(origins, origin)).headers.get("access-control-allow-origin");
  assert.equal(await allowed(["*"], "https://any.example"), "*");
  const ours = ["https://ui.example"];
  assert.equal(await allowed(ours, "https://ui.example"), "https://ui.example");
  assert.equal(await allowed(ours, "https://evil.example"), null);
});
