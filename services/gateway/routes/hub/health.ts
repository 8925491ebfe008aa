import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { health } from "../../../../shared/contract/hub.ts";
import type { GatewayDeps } from "../../deps.ts";

export function getHealth(app: Hono<AppEnv>, deps: Pick<GatewayDeps, "health">): void {
  app.get(
    "/api/health",
    answers(health, {
      does:
        "Whether all services, their databases and the stream of events are well; 503 when not.",
    }),
    async function getHealth(c) {
      const { database, services } = await deps.health();
      const down = Object.entries(services).filter(([, one]) => !one.ok);
      const msg = down.length === 0
        ? "All services are ready."
        : down.map(([name, one]) => `${name}: ${one.reason}`).join("; ");
      return c.json({ database, msg, services }, down.length === 0 ? 200 : 503);
    },
  );
}
