/**
 * Runs gateway: reads its configuration, connects, starts what serves, and stops it in order. What gateway is stands in
 * `app.ts`.
 * @module
 */
import { z } from "zod";
import { envBoolean, envInteger, readConfig } from "../../shared/service/config.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import { createHttpClient } from "../../shared/http_over_nats/mod.ts";
import { connectService } from "../../shared/broker/service_connection.ts";
import { createAsk } from "../../shared/messages/ask.ts";
import { runService } from "../../shared/service/run_service.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { createGatewayApp, type ServiceHealth } from "./app.ts";
import { closeDoor } from "./closing.ts";
import { createFeed } from "./feed.ts";
import { createPrincipals } from "./principals.ts";
import { addressOf, attemptLimits, createRateLimiter, network } from "./rate_limit.ts";
import { requestIdOf } from "./rules.ts";

const MEBIBYTE = 2 ** 20;

await runService("gateway", async ({ log, onStop }) => {
  const config = readConfig({
    SEXTANT_NATS_URL: z.url(),
    SEXTANT_ENROLMENT: z.string().min(1),
    SEXTANT_LISTEN: z.string().refine(isAddress, "must be host:port").default("127.0.0.1:7601"),
    SEXTANT_CORS_ORIGINS: z.string().default("*").transform((list) => list.split(",")),
    SEXTANT_MAX_BODY_MIB: envInteger.pipe(z.number().min(1)).default(64),
    SEXTANT_MAX_BLOB_MIB: envInteger.pipe(z.number().min(1)).default(4096),
    /** Failed log-ins of one caller in the long run; an address may have five times as many. */
    SEXTANT_ATTEMPTS_PER_MINUTE: envInteger.pipe(z.number().min(1)).default(60),
    /** Whether a proxy in front tells the client's address in X-Forwarded-For. */
    SEXTANT_TRUST_PROXY: envBoolean.default(false),
  });
  const broker = await connectService({
    service: "gateway",
    url: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    log,
  });
  onStop("broker", () => broker.close());
  const { nc } = broker;
  const ask = createAsk(nc, { timeoutMs: 5_000 });

  const principals = createPrincipals({ ask });
  const events = subscribeEvents(nc, principals.hear, { log, onGap: principals.forget });
  onStop("events", () => events.stop());

  async function health(): Promise<Record<string, ServiceHealth>> {
    const askHealth = createAsk(nc, { timeoutMs: 3_000 });
    const answers = HUB_SERVICES.map(async (name): Promise<[string, ServiceHealth]> => {
      try {
        const { database } = await askHealth(name, "health", {});
        return [name, database ? { ok: true } : { ok: false, reason: "Postgres does not answer" }];
      } catch (error) {
        return [name, { ok: false, reason: messageOf(error) }];
      }
    });
    return Object.fromEntries(await Promise.all(answers));
  }

  const feed = createFeed({ nc, log });
  const http = createHttpClient({ nc });
  const recorded = createRateLimiter({ burst: 300, perMinute: 60 });
  const app = createGatewayApp({
    http,
    feed,
    principals,
    health,
    log,
    corsOrigins: config.SEXTANT_CORS_ORIGINS,
    maxBody: config.SEXTANT_MAX_BODY_MIB * MEBIBYTE,
    maxBlob: config.SEXTANT_MAX_BLOB_MIB * MEBIBYTE,
    attempts: attemptLimits(config.SEXTANT_ATTEMPTS_PER_MINUTE),
    refused(refusal) {
      // A flood of refusals is recorded by its beginning: it must not fill the database.
      if (recorded.take(network(refusal.address)) > 0) return;
      ask("identity", "record_refusal", refusal)
        .catch((error) => log.warn("A refusal is not recorded", { ...refusal, error }));
    },
  });
  const colon = config.SEXTANT_LISTEN.lastIndexOf(":");
  const server = Deno.serve({
    hostname: config.SEXTANT_LISTEN.slice(0, colon),
    port: Number(config.SEXTANT_LISTEN.slice(colon + 1)),
    onListen: ({ hostname, port }) => log.info("Listening", { hostname, port }),
  }, (request, { remoteAddr }) => {
    const requestId = requestIdOf(request.headers.get("x-request-id"), () => crypto.randomUUID());
    const address = addressOf(request, {
      remote: remoteAddr.hostname,
      trustProxy: config.SEXTANT_TRUST_PROXY,
    });
    return app.fetch(request, { requestId, address });
  });
  onStop("listener", () => closeDoor({ server, feed, http }));
});

function isAddress(text: string): boolean {
  const port = /^.+:(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}
