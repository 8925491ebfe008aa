/**
 * Runs collaboration: reads its configuration, connects, starts what serves, and stops it in order. What collaboration is stands in
 * `app.ts`.
 * @module
 */
import { z } from "zod";
import { keepSealing } from "../../shared/storage/audit_seal.ts";
import { readConfig } from "../../shared/service/config.ts";
import { migrate, openDatabase, waitForDatabase } from "../../shared/storage/db.ts";
import { consumeEvents } from "../../shared/messages/event_consumer.ts";
import { serveHttp } from "../../shared/http_over_nats/mod.ts";
import { forgetOldKeys } from "../../shared/storage/idempotency.ts";
import { connectService, connectSystem } from "../../shared/broker/service_connection.ts";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { createAsk, serveAnswers } from "../../shared/messages/ask.ts";
import { runService } from "../../shared/service/run_service.ts";
import { createCollaborationApp } from "./app.ts";
import { collaborationAnswers } from "./events.ts";
import { forgetLostOrganizations, HEARD, hearEvent } from "./forget_organization.ts";
import { watchPresence } from "./presence.ts";

await runService("collaboration", async ({ log, onStop }) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: z.url(),
    SEXTANT_ENROLMENT: z.string().min(1),
    /** This server's address, as algorithm stores are to know it. */
    SEXTANT_SERVER_URL: z.url().optional(),
  });
  const db = openDatabase(config.SEXTANT_DATABASE_URL, { schema: "collaboration", log });
  onStop("database", () => db.end({ timeout: 5 }));
  await waitForDatabase(db, log);
  await migrate(db, new URL("./schema/", import.meta.url), log);
  const sealing = keepSealing({ db, log });
  onStop("seals", () => sealing.stop());

  const broker = await connectService({
    service: "collaboration",
    url: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    log,
  });
  onStop("broker", () => broker.close());
  const outbox = await createEventOutbox({ db, nc: broker.nc, service: "collaboration", log });
  onStop("outbox", () => outbox.stop());

  async function forgetKeys(): Promise<void> {
    await forgetOldKeys(db).catch((error) => log.warn("Cannot forget old keys", { error }));
  }
  const sweep = setInterval(forgetKeys, 600_000);
  onStop("sweep", () => clearInterval(sweep));

  const deps = {
    db,
    outbox,
    ask: createAsk(broker.nc),
    log,
    serverUrl: config.SEXTANT_SERVER_URL,
  };
  const app = createCollaborationApp(deps);
  onStop("answers", serveAnswers(broker.nc, "collaboration", collaborationAnswers(deps), log).stop);
  const departures = consumeEvents({
    nc: broker.nc,
    service: "collaboration",
    subject: HEARD,
    handle: (event) => hearEvent(event, deps),
    catchUp: () => forgetLostOrganizations(deps),
    log,
  });
  onStop("departures", () => departures.stop());
  const url = config.SEXTANT_NATS_URL;
  const system = await connectSystem({ service: "collaboration", url, main: broker.nc, log });
  onStop("system account", () => system.close());
  const presence = watchPresence({
    ...deps,
    system: system.nc,
    issuers: await deps.ask("identity", "node_issuers", {}),
    now: () => new Date(),
  });
  onStop("presence", () => presence.stop());
  const http = serveHttp({ nc: broker.nc, service: "collaboration", fetch: app.fetch, log });
  onStop("requests", () => http.stop());
});
