/**
 * Runs identity as a process: reads its configuration, and starts it.
 * @module
 */
import { z } from "zod";
import { trustSchema } from "../../shared/broker/trust.ts";
import { LONGEST_NODE_CREDENTIAL } from "../../shared/broker/withdrawals.ts";
import { envBoolean, envInteger, envUrls, readConfig } from "../../shared/service/config.ts";
import { runService } from "../../shared/service/run_service.ts";
import { openTracer, readTraceSettings } from "../../shared/tracing/open_tracer.ts";
import { createSendMail, SMTP_CONFIG } from "./accounts/mail.ts";
import { startIdentity } from "./start.ts";

const seconds = (fallback: number) => envInteger.pipe(z.number().min(60)).default(fallback);

await runService("identity", async (life) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: envUrls,
    /** Where nodes reach the broker, from outside. */
    SEXTANT_NODE_NATS_URL: z.url(),
    /** Path of the broker's keys. */
    SEXTANT_BROKER_TRUST: z.string().min(1),
    /** Seals secrets in the database; several, separated by commas: the first seals, all open. */
    SEXTANT_SECRETS_KEY: z.string().min(1),
    SEXTANT_DISPATCH_PUBLIC_KEYS: z.string().min(1).transform((list) => list.split(",")),
    SEXTANT_ADMIN_USERNAME: z.string().min(3).default("admin"),
    SEXTANT_ADMIN_PASSWORD: z.string().min(1).optional(),
    SEXTANT_ADMIN_FILE: z.string().optional(),
    SEXTANT_ACCESS_TOKEN_SECONDS: seconds(6 * 3600),
    SEXTANT_REFRESH_TOKEN_SECONDS: seconds(48 * 3600),
    /** After how many days a log-in ends, however often its tokens are refreshed. */
    SEXTANT_SESSION_DAYS: envInteger.pipe(z.number().min(1)).default(30),
    /** After how many days a new key signs tokens. */
    SEXTANT_SIGNING_KEY_DAYS: envInteger.pipe(z.number().min(1)).default(90),
    /** Whether everybody needs a second factor. */
    SEXTANT_TWO_FACTOR: envBoolean.default(false),
    /** Names this server in mails and authenticator apps. */
    SEXTANT_SERVER_NAME: z.string().min(1).default("sextant"),
    ...SMTP_CONFIG,
    /** How long a node's broker credential is good for. */
    SEXTANT_NODE_CREDENTIAL_SECONDS: seconds(3600).pipe(z.number().max(LONGEST_NODE_CREDENTIAL)),
  });
  await startIdentity(life, {
    tracer: await openTracer(life, "identity", readTraceSettings()),
    databaseUrl: config.SEXTANT_DATABASE_URL,
    natsUrl: config.SEXTANT_NATS_URL,
    trust: trustSchema.parse(JSON.parse(await Deno.readTextFile(config.SEXTANT_BROKER_TRUST))),
    secretsKey: config.SEXTANT_SECRETS_KEY,
    nodeNatsUrl: config.SEXTANT_NODE_NATS_URL,
    dispatchPublicKeys: config.SEXTANT_DISPATCH_PUBLIC_KEYS,
    firstUser: {
      username: config.SEXTANT_ADMIN_USERNAME,
      password: config.SEXTANT_ADMIN_PASSWORD,
      file: config.SEXTANT_ADMIN_FILE,
    },
    accessTokenSeconds: config.SEXTANT_ACCESS_TOKEN_SECONDS,
    refreshTokenSeconds: config.SEXTANT_REFRESH_TOKEN_SECONDS,
    sessionDays: config.SEXTANT_SESSION_DAYS,
    nodeCredentialSeconds: config.SEXTANT_NODE_CREDENTIAL_SECONDS,
    signingKeyDays: config.SEXTANT_SIGNING_KEY_DAYS,
    twoFactor: config.SEXTANT_TWO_FACTOR,
    serverName: config.SEXTANT_SERVER_NAME,
    sendMail: createSendMail(config),
  });
});
