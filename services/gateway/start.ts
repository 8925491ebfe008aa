/**
 * Starts the gateway with everything it needs; what the gateway is stands in `app.ts`.
 * @module
 */
import { connectService } from "../../shared/broker/service_connection.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import type { BrokerConnection } from "../../shared/broker/connection.ts";
import { eventStreamTrouble } from "../../shared/broker/event_stream.ts";
import { createHttpClient } from "../../shared/http_over_nats/mod.ts";
import { createAsk } from "../../shared/messages/ask.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { createCounts } from "../../shared/service/counts.ts";
import { shareAnswer } from "../../shared/service/shared_answer.ts";
import type { ServiceLife } from "../../shared/service/life.ts";
import { createRateLimiter } from "../../shared/service/rate_limiter.ts";
import { noTracer, type Tracer } from "../../shared/tracing/tracer.ts";
import { createGatewayApp } from "./app.ts";
import type { HubHealth, ServiceHealth } from "./deps.ts";
import { closeDoor } from "./door/closing.ts";
import { createFeed } from "./live/feed.ts";
import { openPageFolder } from "../page/build/page_folder.ts";
import { createPrincipals } from "./principals/principals.ts";
import { createOwnMetrics } from "./metrics/own_metrics.ts";
import { hubMetrics } from "./metrics/hub_metrics.ts";
import { addressOf, attemptLimits, network, protocolOf } from "./door/rate_limit.ts";
import { requestIdOf } from "./rules.ts";

export interface GatewayOptions {
  natsUrl: string;
  /** Path of the file with which the service gets its credential from identity. */
  enrolmentFile: string;
  /** Where the gateway listens; port 0 is any that is free. */
  listen: { hostname: string; port: number };
  /** Origins whose pages may call the API; `*` is all. */
  corsOrigins?: string[];
  /** Bytes of a request body. */
  maxBody?: number;
  /** Bytes of a payload that is uploaded on its own. */
  maxBlob?: number;
  /** How long a body may pause, or be behind 64 KiB a second. Milliseconds; 30 seconds. */
  bodyPatienceMs?: number;
  /** Failed log-ins of one caller in the long run; an address may have five times as many. */
  attemptsPerMinute?: number;
  /** Whether a proxy in front tells the client's address in X-Forwarded-For. */
  trustProxy?: boolean;
  /** Where the page for people was set up; without it there is none. */
  pageFolder?: string | undefined;
  /** With which Prometheus gets the figures; without it, it needs an account. */
  metricsToken?: string | undefined;
  tracer?: Tracer;
  now?: () => Date;
}

export interface Gateway {
  app: ReturnType<typeof createGatewayApp>;
  /** Where it listens. */
  address: { hostname: string; port: number };
}

const MEBIBYTE = 2 ** 20;

export async function startGateway(
  life: ServiceLife,
  {
    natsUrl,
    enrolmentFile,
    listen,
    corsOrigins = ["*"],
    maxBody = 64 * MEBIBYTE,
    maxBlob = 4096 * MEBIBYTE,
    attemptsPerMinute = 60,
    trustProxy = false,
    pageFolder,
    metricsToken,
    tracer = noTracer,
    now = () => new Date(),
    ...options
  }: GatewayOptions,
): Promise<Gateway> {
  const { log } = life;
  const broker = await connectService({ service: "gateway", url: natsUrl, enrolmentFile, log });
  life.onStop("broker", broker.close);
  const { nc } = broker;
  const ask = createAsk(nc, { timeoutMs: 5_000 });
  const principals = createPrincipals({
    ask,
    now: () => now().getTime(),
  });
  const own = createOwnMetrics();
  const events = subscribeEvents(nc, (event) => {
    principals.hear(event);
    own.hear(event);
  }, { log, onGap: principals.forget });
  life.onStop("events", events.stop);

  const feed = createFeed({ nc, tracer, log });
  const http = createHttpClient({ nc });
  const counts = createCounts({
    keep: (some) => ask("task", "count_refused", { counts: some }),
    log,
  });
  life.onStop("counts", counts.stop);
  const recorded = createRateLimiter({ burst: 300, perMinute: 60 });
  const askHealth = createAsk(nc, { timeoutMs: 3_000 });
  const app = createGatewayApp({
    http,
    feed,
    principals,
    // Anybody may ask, and each time all services would ask their databases.
    health: shareAnswer(() => healthOfHub(askHealth, nc), { everyMs: 1000 }),
    metrics: {
      own,
      ofHub: () => hubMetrics({ ask: askHealth, nc, log }),
      token: metricsToken,
    },
    tracer,
    log,
    corsOrigins,
    maxBody,
    maxBlob,
    ...options,
    attempts: attemptLimits(attemptsPerMinute),
    ...(pageFolder === undefined ? {} : {
      page: {
        folder: openPageFolder(pageFolder),
        isSecure: (request) => protocolOf(request, { trustProxy }) === "https:",
      },
    }),
    refused(refusal) {
      if (refusal.code === "invalid_token") counts.add("unproven token");
      // A flood of refusals is recorded by its beginning: it must not fill the database.
      if (recorded.take(network(refusal.address)) > 0) return;
      ask("identity", "record_refusal", refusal)
        .catch((error) => log.warn("A refusal is not recorded", { ...refusal, error }));
    },
  });
  const server = Deno.serve({
    ...listen,
    onListen: ({ hostname, port }) => log.info("Listening", { hostname, port }),
  }, (request, { remoteAddr }) => {
    const requestId = requestIdOf(request.headers.get("x-request-id"), () => crypto.randomUUID());
    const address = addressOf(request, { remote: remoteAddr.hostname, trustProxy });
    return app.fetch(request, { requestId, address });
  });
  life.onStop("listener", () => closeDoor({ server, feed, http }));
  return { app, address: server.addr };
}

/** Whether each service and its database answer, and whether what happens can be told. */
async function healthOfHub(ask: Ask, nc: BrokerConnection): Promise<HubHealth> {
  let database = true;
  async function healthOf(name: HubService): Promise<[string, ServiceHealth]> {
    try {
      const answer = await ask(name, "health", {});
      if (answer.database) {
        return [name, answer.outbox ? ill(`its outbox: ${answer.outbox}`) : { ok: true }];
      }
      database = false;
      return [name, ill("Postgres does not answer")];
    } catch (error) {
      database = false;
      return [name, ill(messageOf(error))];
    }
  }
  async function healthOfEvents(): Promise<[string, ServiceHealth]> {
    const trouble = await eventStreamTrouble(nc);
    return ["jetstream", trouble === undefined ? { ok: true } : ill(trouble)];
  }
  const all = await Promise.all([...HUB_SERVICES.map(healthOf), healthOfEvents()]);
  return { database, services: Object.fromEntries(all) };
}

function ill(reason: string): ServiceHealth {
  return { ok: false, reason };
}
