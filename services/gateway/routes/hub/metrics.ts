import type { Hono } from "hono";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { GatewayDeps } from "../../deps.ts";
import { METRICS_TYPE } from "../../metrics/own_metrics.ts";
import { SCRAPER, scraperCheck } from "../../metrics/scraper.ts";

/**
 * For Prometheus: what collaboration answers of all nodes (where it is described, and decided who
 * may see it), and what the hub tells of itself.
 */
export function getMetrics(
  app: Hono<AppEnv>,
  { http, principals, own, ofHub, token }:
    & Pick<GatewayDeps, "http" | "principals">
    & NonNullable<GatewayDeps["metrics"]>,
): void {
  const isScraper = scraperCheck(token);
  app.get("/api/metrics", async function getMetrics(c) {
    const authorization = c.req.header("authorization");
    const principal = isScraper(authorization) ? SCRAPER : await principals.of(authorization);
    if (!principal) {
      throw new SextantError(
        "unauthenticated",
        "Send the token of the metrics, or of somebody who may view all nodes.",
      );
    }
    const requestId = c.get("requestId");
    const ofNodes = await http.request("collaboration", c.req.raw, { requestId, principal });
    if (!ofNodes.ok) return ofNodes;
    const text = await own.text(await ofHub());
    return c.body(text + await ofNodes.text(), 200, { "content-type": METRICS_TYPE });
  });
}
