/**
 * Runs task: reads its configuration, connects, starts what serves, and stops it in order. What task is stands in
 * `app.ts`.
 * @module
 */
import { z } from "zod";
import { keepSealing } from "../../shared/storage/audit_seal.ts";
import { envBoolean, envInteger, readConfig } from "../../shared/service/config.ts";
import { migrate, openDatabase, waitForDatabase } from "../../shared/storage/db.ts";
import { consumeEvents } from "../../shared/messages/event_consumer.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import { serveHttp } from "../../shared/http_over_nats/mod.ts";
import { newHeaders } from "../../shared/broker/connection.ts";
import { connectService } from "../../shared/broker/service_connection.ts";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { createAsk, serveAnswers } from "../../shared/messages/ask.ts";
import { runService } from "../../shared/service/run_service.ts";
import { sign, SIGNATURE_HEADER } from "../../shared/broker/signing.ts";
import { createTaskApp } from "./app.ts";
import { createDepartures, hearEvent } from "./reactions.ts";
import { createDispatchStreams } from "./dispatch/streams.ts";
import { taskAnswers } from "./answers.ts";
import { createKills } from "./dispatch/kills.ts";
import { createLogs } from "./reports/logs.ts";
import { createReconciler } from "./upkeep/reconciler.ts";
import { serveReports } from "./reports/desk.ts";
import { createReports } from "./reports/reports.ts";
import { createTaskWatch } from "./task_watch.ts";

await runService("task", async ({ log, onStop }) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: z.url(),
    SEXTANT_ENROLMENT: z.string().min(1),
    /** The seed that signs what is dispatched. */
    SEXTANT_DISPATCH_KEY: z.string().regex(/^SU[A-Z2-7]{56}$/, "must be the seed of a user nkey"),
    /** Whether every input must be uploaded to /blobstream first, as the field's API has it. */
    SEXTANT_BLOB_STORE: envBoolean.default(false),
    /** Uploads that an organization may have before a task or result uses them. */
    SEXTANT_MAX_UNUSED_BLOBS_GIB: envInteger.pipe(z.number().min(1)).default(64),
    SEXTANT_COLUMN_IMAGE: z.string().default("harbor2.vantage6.ai/algorithms/basics"),
    /** Days after which the payloads of completed results are removed; without it they are kept. */
    SEXTANT_RUNS_DATA_CLEANUP_DAYS: envInteger.pipe(z.number().min(1)).optional(),
    SEXTANT_RUNS_DATA_CLEANUP_INCLUDE_INPUT: envBoolean.default(false),
  });
  const now = () => new Date();

  const db = openDatabase(config.SEXTANT_DATABASE_URL, { schema: "task", log });
  onStop("database", () => db.end({ timeout: 5 }));
  await waitForDatabase(db, log);
  await migrate(db, new URL("./schema/", import.meta.url), log);
  const sealing = keepSealing({ db, log });
  onStop("seals", () => sealing.stop());

  const broker = await connectService({
    service: "task",
    url: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    log,
  });
  onStop("broker", () => broker.close());
  const { nc } = broker;
  const streams = createDispatchStreams(() => nc.jetstreamManager());
  await streams.ensureStream();
  const outbox = await createEventOutbox({
    db,
    nc,
    service: "task",
    log,
    sign(subject, payload, headers) {
      if (!subject.startsWith("dispatch.")) return;
      headers.set(SIGNATURE_HEADER, sign(config.SEXTANT_DISPATCH_KEY, subject, payload));
    },
  });
  onStop("outbox", () => outbox.stop());

  const reports = createReports({ db, outbox, streams, log, now });
  const watch = createTaskWatch();
  const kills = createKills({
    db,
    log,
    now,
    publish(subject, payload) {
      const headers = newHeaders();
      headers.set(SIGNATURE_HEADER, sign(config.SEXTANT_DISPATCH_KEY, subject, payload));
      nc.publish(subject, payload, { headers });
    },
  });
  const settings = {
    blobStoreEnabled: config.SEXTANT_BLOB_STORE,
    maxUnusedBytes: config.SEXTANT_MAX_UNUSED_BLOBS_GIB * 2 ** 30,
    columnImage: config.SEXTANT_COLUMN_IMAGE,
  };
  const deps = { db, outbox, ask: createAsk(nc), reports, kills, watch, settings, now, log };
  const events = subscribeEvents(nc, (event) => hearEvent(event, { watch, streams }), {
    log,
    onGap: () => watch.wakeAll(),
  });
  onStop("events", () => events.stop());
  const departures = createDepartures(deps, streams);
  const deletions = consumeEvents({
    nc,
    service: "task",
    subject: "event.*.deleted",
    handle: departures.handle,
    catchUp: departures.catchUp,
    log,
  });
  onStop("deletions", () => deletions.stop());
  const issuers = await deps.ask("identity", "node_issuers", {});
  const desk = serveReports({ nc, reports, logs: createLogs(outbox), issuers, log });
  onStop("reports", () => desk.stop());
  const retention = {
    days: config.SEXTANT_RUNS_DATA_CLEANUP_DAYS,
    includeInput: config.SEXTANT_RUNS_DATA_CLEANUP_INCLUDE_INPUT,
  };
  const reconciler = createReconciler({ db, outbox, streams, kills, retention, log, now });
  onStop("reconciler", () => reconciler.stop());
  const answers = serveAnswers(nc, "task", taskAnswers(deps), log);
  onStop("answers", () => answers.stop());
  const http = serveHttp({ nc, service: "task", fetch: createTaskApp(deps).fetch, log });
  onStop("requests", () => http.stop());
  onStop("held requests", () => watch.close());
});
