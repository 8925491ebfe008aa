/**
 * Runs identity: reads its configuration, connects, starts what serves, and stops it in order. What identity is stands in
 * `app.ts`.
 * @module
 */
import { z } from "zod";
import { keepSealing } from "../../shared/storage/audit_seal.ts";
import { trustSchema } from "../../shared/broker/trust.ts";
import { envBoolean, envInteger, readConfig } from "../../shared/service/config.ts";
import { migrate, openDatabase, waitForDatabase } from "../../shared/storage/db.ts";
import { consumeEvents } from "../../shared/messages/event_consumer.ts";
import { serveHttp } from "../../shared/http_over_nats/mod.ts";
import { forgetOldKeys } from "../../shared/storage/idempotency.ts";
import { serveEnrolment } from "../../shared/broker/enrolment.ts";
import { connectIdentity } from "../../shared/broker/service_connection.ts";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { createAsk, serveAnswers } from "../../shared/messages/ask.ts";
import { runService } from "../../shared/service/run_service.ts";
import { createAccounts } from "./accounts.ts";
import { createIdentityApp } from "./app.ts";
import { createBackground } from "./background.ts";
import { createBrokerDesk } from "./broker.ts";
import { identityAnswers } from "./events.ts";
import { ensureFirstUser } from "./first_user.ts";
import { openKeyRing } from "./keys.ts";
import { createSendMail, SMTP_CONFIG } from "./mail.ts";
import { HEARD, hearEvent } from "./node_access.ts";
import { createSessions } from "./sessions.ts";
import { seedCatalogue } from "./store.ts";
import { deleteExpiredResetTokens } from "./store/account.ts";
import { deleteExpiredRefreshTokens } from "./store/session.ts";

const seconds = (fallback: number) => envInteger.pipe(z.number().min(60)).default(fallback);

await runService("identity", async ({ log, onStop }) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: z.url(),
    /** Where nodes reach the broker, from outside. */
    SEXTANT_NODE_NATS_URL: z.url(),
    /** Path of the broker's keys. */
    SEXTANT_BROKER_TRUST: z.string().min(1),
    SEXTANT_DISPATCH_PUBLIC_KEYS: z.string().min(1).transform((list) => list.split(",")),
    SEXTANT_ADMIN_USERNAME: z.string().min(3).default("admin"),
    SEXTANT_ADMIN_PASSWORD: z.string().min(1).optional(),
    SEXTANT_ADMIN_FILE: z.string().optional(),
    SEXTANT_ACCESS_TOKEN_SECONDS: seconds(6 * 3600),
    SEXTANT_REFRESH_TOKEN_SECONDS: seconds(48 * 3600),
    /** After how many days a new key signs tokens. */
    SEXTANT_SIGNING_KEY_DAYS: envInteger.pipe(z.number().min(1)).default(90),
    /** Whether everybody needs a second factor. */
    SEXTANT_TWO_FACTOR: envBoolean.default(false),
    /** Names this server in mails and authenticator apps. */
    SEXTANT_SERVER_NAME: z.string().min(1).default("sextant"),
    ...SMTP_CONFIG,
    /** How long a node's broker credential is good for. */
    SEXTANT_NODE_CREDENTIAL_SECONDS: seconds(3600),
  });
  const trust = trustSchema.parse(JSON.parse(await Deno.readTextFile(config.SEXTANT_BROKER_TRUST)));
  const now = () => new Date();

  const db = openDatabase(config.SEXTANT_DATABASE_URL, { schema: "identity", log });
  onStop("database", () => db.end({ timeout: 5 }));
  await waitForDatabase(db, log);
  await migrate(db, new URL("./schema/", import.meta.url), log);
  const sealing = keepSealing({ db, log });
  onStop("seals", () => sealing.stop());
  await seedCatalogue(db);
  await ensureFirstUser(db, {
    username: config.SEXTANT_ADMIN_USERNAME,
    password: config.SEXTANT_ADMIN_PASSWORD,
    file: config.SEXTANT_ADMIN_FILE,
  }, log);

  const { main, system } = await connectIdentity({ url: config.SEXTANT_NATS_URL, trust, log });
  onStop("system account", () => system.close());
  onStop("broker", () => main.close());
  const { nc } = main;
  serveEnrolment({ nc, trust, log });
  const outbox = await createEventOutbox({ db, nc, service: "identity", log });
  onStop("outbox", () => outbox.stop());

  const ask = createAsk(nc);
  const keys = await openKeyRing(db, {
    now,
    days: config.SEXTANT_SIGNING_KEY_DAYS,
    tokenSeconds: config.SEXTANT_REFRESH_TOKEN_SECONDS,
  });
  const background = createBackground(log);
  onStop("mails", () => background.settled());
  const accounts = createAccounts({
    db,
    now,
    background,
    sendMail: createSendMail(config),
    twoFactor: config.SEXTANT_TWO_FACTOR,
    serverName: config.SEXTANT_SERVER_NAME,
  });
  const deps = {
    db,
    outbox,
    keys,
    accounts,
    sessions: createSessions({
      db,
      keys,
      ask,
      now,
      accessSeconds: config.SEXTANT_ACCESS_TOKEN_SECONDS,
      refreshSeconds: config.SEXTANT_REFRESH_TOKEN_SECONDS,
    }),
    broker: createBrokerDesk({
      db,
      trust,
      system: system.nc,
      nodeNatsUrl: config.SEXTANT_NODE_NATS_URL,
      dispatchKeys: config.SEXTANT_DISPATCH_PUBLIC_KEYS,
      credentialSeconds: config.SEXTANT_NODE_CREDENTIAL_SECONDS,
      now,
    }),
    ask,
    log,
    now,
  };
  async function sweepUp(): Promise<void> {
    await deleteExpiredRefreshTokens(db, now());
    await deleteExpiredResetTokens(db, new Date(now().getTime() - 86_400_000));
    await forgetOldKeys(db);
    await keys.rotate();
  }
  const sweep = setInterval(
    () => sweepUp().catch((error) => log.warn("Cannot sweep", { error })),
    600_000,
  );
  onStop("sweep", () => clearInterval(sweep));
  const departures = consumeEvents({
    nc,
    service: "identity",
    subject: HEARD,
    handle: (event) => hearEvent(event, deps),
    log,
  });
  onStop("departures", () => departures.stop());
  const answers = serveAnswers(nc, "identity", identityAnswers(deps), log);
  onStop("answers", () => answers.stop());
  const http = serveHttp({ nc, service: "identity", fetch: createIdentityApp(deps).fetch, log });
  onStop("requests", () => http.stop());
});
