/**
 * Starts identity with everything it needs; what identity is stands in `app.ts`.
 * @module
 */
import { serveEnrolment } from "../../shared/broker/enrolment.ts";
import { connectIdentity } from "../../shared/broker/service_connection.ts";
import type { Trust } from "../../shared/broker/trust.ts";
import { openHubService } from "../../shared/service/hub_service.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import type { ServiceLife } from "../../shared/service/life.ts";
import { noTracer, type Tracer } from "../../shared/tracing/tracer.ts";
import { forgetOldKeys } from "../../shared/storage/idempotency.ts";
import { createAccounts } from "./accounts/accounts.ts";
import { createIdentityApp } from "./app.ts";
import { type Background, createBackground } from "./accounts/background.ts";
import { createBrokerDesk } from "./broker/credentials.ts";
import { createWithdrawal } from "./broker/withdrawal.ts";
import type { IdentityDeps } from "./deps.ts";
import { identityAnswers } from "./answers.ts";
import { ensureFirstUser, type FirstUserOptions } from "./accounts/first_user.ts";
import { sealStored } from "./secrets/stored.ts";
import { openVault } from "./secrets/vault.ts";
import { openKeyRing } from "./sessions/signing_keys.ts";
import type { SendMail } from "./accounts/mail.ts";
import { HEARD, hearEvent } from "./reactions.ts";
import { createSessions } from "./sessions/sessions.ts";
import { seedCatalogue } from "./store/catalogue.ts";
import { settleSharedAddresses } from "./store/email.ts";
import { deleteExpiredResetTokens } from "./store/account.ts";
import { deleteExpiredSessions } from "./store/session.ts";

export interface IdentityOptions {
  databaseUrl: string;
  natsUrl: string;
  /** The keys with which credentials for the broker are signed. */
  trust: Trust;
  /** The keys that seal secrets in the database, as text; the first one seals, all open. */
  secretsKey: string;
  /** Where nodes reach the broker, from outside. */
  nodeNatsUrl: string;
  /** By these a node recognises what the hub dispatches. */
  dispatchPublicKeys: string[];
  /** Made on an empty server. */
  firstUser: FirstUserOptions;
  accessTokenSeconds?: number;
  refreshTokenSeconds?: number;
  /** A log-in ends after so many days, however often its tokens are refreshed. */
  sessionDays?: number;
  nodeCredentialSeconds?: number;
  /** After how many days a new key signs tokens. */
  signingKeyDays?: number;
  /** Whether everybody needs a second factor. */
  twoFactor?: boolean;
  /** Names this server in mails and authenticator apps. */
  serverName?: string;
  /** Without it no mail is sent. */
  sendMail: SendMail | undefined;
  tracer?: Tracer;
  now?: () => Date;
}

export interface Identity {
  deps: IdentityDeps;
  app: ReturnType<typeof createIdentityApp>;
  /** Mails and other work after the answer. */
  background: Background;
}

const SWEEP_MS = 600_000;
/** Reset tokens are kept so much longer than they are good for. */
const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;
/** How soon a signing key is missed that was withdrawn, when the event of it is not heard. */
const KEYS_MS = 30_000;

export async function startIdentity(
  life: ServiceLife,
  {
    accessTokenSeconds = 6 * 3600,
    refreshTokenSeconds = 48 * 3600,
    sessionDays = 30,
    nodeCredentialSeconds = 3600,
    signingKeyDays = 90,
    twoFactor = false,
    serverName = "sextant",
    tracer = noTracer,
    now = () => new Date(),
    ...options
  }: IdentityOptions,
): Promise<Identity> {
  const { log } = life;
  const { trust } = options;
  const vault = openVault(options.secretsKey);
  const connections = Promise.withResolvers<Awaited<ReturnType<typeof connectIdentity>>>();
  const hub = await openHubService(life, {
    service: "identity",
    databaseUrl: options.databaseUrl,
    schema: new URL("./schema/", import.meta.url),
    async connect() {
      const both = await connectIdentity({ url: options.natsUrl, trust, log });
      connections.resolve(both);
      return both.main;
    },
    tracer,
  });
  const { db, outbox, ask, nc } = hub;
  const { system } = await connections.promise;
  life.onStop("system account", system.close);
  await sealStored(db, vault, log);
  await seedCatalogue(db);
  for (const shared of await settleSharedAddresses(db)) {
    log.warn("A user has the address of another, but for capitals; give one of them another", {
      ...shared,
    });
  }
  await ensureFirstUser(db, options.firstUser, log);
  serveEnrolment({ nc, trust, log });

  const keys = await openKeyRing(db, {
    vault,
    now,
    days: signingKeyDays,
    tokenSeconds: refreshTokenSeconds,
  });
  const background = createBackground(log);
  life.onStop("mails", background.settled);
  const { sendMail } = options;
  const accounts = createAccounts({ db, vault, now, background, sendMail, twoFactor, serverName });
  const sessions = createSessions({
    db,
    keys,
    ask,
    now,
    accessSeconds: accessTokenSeconds,
    refreshSeconds: refreshTokenSeconds,
    sessionSeconds: sessionDays * DAY_SECONDS,
  });
  const broker = createBrokerDesk({
    db,
    trust,
    withdrawal: createWithdrawal({ db, trust, system: system.nc, now }),
    ask,
    nodeNatsUrl: options.nodeNatsUrl,
    dispatchKeys: options.dispatchPublicKeys,
    credentialSeconds: nodeCredentialSeconds,
    now,
  });
  const deps = { db, outbox, keys, accounts, sessions, broker, ask, log, vault, now };

  hub.every(SWEEP_MS, "sweep up", async function sweepUp() {
    await deleteExpiredSessions(db, now());
    await deleteExpiredResetTokens(db, new Date(now().getTime() - DAY_MS));
    await forgetOldKeys(db);
    await keys.rotate();
    await broker.tidy();
  });
  hub.every(KEYS_MS, "look at the signing keys", keys.rotate);
  // By each replica, unlike what the durable consumer below hears.
  const events = subscribeEvents(nc, async (event) => {
    if (event.name === "signing_key.withdrawn") await keys.rotate();
  }, { log, onGap: () => {} });
  life.onStop("events", events.stop);
  hub.hear({ subject: HEARD, handle: (event) => hearEvent(event, deps) });
  // Also gives nodes the rights of this version, if those of the account are another's.
  await broker.tidy().catch((error) =>
    log.warn("Cannot look after the credentials of nodes now; will try again", { error })
  );
  const app = createIdentityApp(deps);
  hub.serve({ answers: identityAnswers(deps), fetch: app.fetch });
  return { deps, app, background };
}
