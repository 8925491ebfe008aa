/**
 * gateway: the one public door. HTTP in, NATS inside.
 *
 * Verifies the access token, resolves who is calling, and hands the request to the service that
 * owns it. Keeps no state but caches; any number of replicas may run.
 * @module
 */
import type { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import type { GatewayDeps } from "./deps.ts";
import { limitSecrets } from "./door/body_limit.ts";
import { crossOrigin } from "./door/cross_origin.ts";
import { limitAttempts } from "./door/rate_limit.ts";
import { requestLine } from "./door/request_line.ts";
import { tellRefusals } from "./door/tell_refusals.ts";
import { measureRequests } from "./metrics/measure_requests.ts";
import { traceRequests } from "./metrics/trace_requests.ts";
import { watchEvents } from "./routes/event/watch.ts";
import { forwardRequests } from "./routes/forward.ts";
import { getApiDescription } from "./routes/hub/api_description.ts";
import { getDocs } from "./routes/hub/docs.ts";
import { getHealth } from "./routes/hub/health.ts";
import { getMetrics } from "./routes/hub/metrics.ts";
import { getVersion } from "./routes/hub/version.ts";
import { getPage } from "./routes/page/page.ts";
import { keepPageSession } from "./routes/session/session.ts";

export function createGatewayApp(deps: GatewayDeps): Hono<AppEnv> {
  const app = createApp(deps.log);
  app.use(requestLine);
  const { feed, principals, metrics, http } = deps;
  if (metrics) app.use(measureRequests(metrics.own));
  if (deps.tracer?.on) app.use(traceRequests(deps.tracer));
  app.use(secureHeaders());
  app.use(crossOrigin(deps.corsOrigins));
  app.use(tellRefusals(deps.refused));
  app.use(limitSecrets(deps.bodyPatienceMs));
  if (deps.attempts) app.use(limitAttempts(deps.attempts));

  getVersion(app);
  getHealth(app, deps);
  if (metrics) getMetrics(app, { ...metrics, http, principals });
  getApiDescription(app, deps);
  getDocs(app);
  if (deps.page) {
    getPage(app, deps.page.folder);
    keepPageSession(app, deps.page);
  }
  if (feed) watchEvents(app, { feed, principals });
  forwardRequests(app, deps);
  return app;
}
