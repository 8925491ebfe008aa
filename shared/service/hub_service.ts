/**
 * What every hub service with a database does alike: `start.ts` of each names only what is its own.
 *
 * ```ts
 * const hub = await openHubService(life, { service: "task", databaseUrl, schema, connect });
 * const deps = { db: hub.db, outbox: hub.outbox, ask: hub.ask };
 * hub.hear({ subject: "event.*.deleted", handle });
 * hub.serve({ answers: taskAnswers(deps), fetch: createTaskApp(deps).fetch });
 * ```
 *
 * Each part registers its own end, so a service stops in the reverse order: first it takes no more
 * requests, then no more questions and events; what is left to tell is told; connection and
 * database close last.
 * @module
 */
import type { BrokerConnection } from "../broker/connection.ts";
import type { ServiceConnection } from "../broker/service_connection.ts";
import type { HubService as HubServiceName } from "../broker/subjects.ts";
import { serveHttp, type ServeHttpOptions } from "../http_over_nats/mod.ts";
import { createAsk, serveAnswers } from "../messages/ask.ts";
import { consumeEvents, type EventConsumerOptions } from "../messages/event_consumer.ts";
import type { Ask, RpcHandlers } from "../messages/questions.ts";
import { keepSealing } from "../storage/audit_seal.ts";
import { type Db, migrate, openDatabase, waitForDatabase } from "../storage/db.ts";
import { createEventOutbox, type Outbox } from "../storage/outbox.ts";
import { noTracer, type Tracer } from "../tracing/tracer.ts";
import { traceFetch } from "../tracing/trace_fetch.ts";
import type { ServiceLife } from "./life.ts";

export interface HubServiceOptions<Name extends HubServiceName> {
  service: Name;
  /** `postgres://…` as this service's own role. */
  databaseUrl: string;
  /** The folder of this service's migrations. */
  schema: URL;
  /** Opens the connection to the broker; waits for it as long as it takes. */
  connect: () => Promise<ServiceConnection>;
  /** Publishes what changes send to those who are connected. */
  send?: (nc: BrokerConnection, subject: string, payload: Uint8Array) => void;
  tracer?: Tracer;
}

export interface HubService<Name extends HubServiceName> {
  db: Db;
  nc: BrokerConnection;
  outbox: Outbox;
  /** Asks the other services. */
  ask: Ask;
  /** Reacts to events, also to those that were told while this service was down. */
  hear(options: Pick<EventConsumerOptions, "subject" | "handle" | "catchUp">): void;
  /**
   * Runs `work` again and again; what it throws is logged, and its next turn comes all the same.
   */
  every(ms: number, name: string, work: () => Promise<unknown>): void;
  /**
   * Takes questions and requests. The last thing a service does at its start, the first that it
   * ends.
   */
  serve(options: { answers: RpcHandlers<Name>; fetch: ServeHttpOptions["fetch"] }): void;
}

/**
 * Opens database and broker, and waits for both as long as it takes. When it resolves the schema is
 * migrated and the stream of events is there.
 */
export async function openHubService<Name extends HubServiceName>(
  life: ServiceLife,
  { service, databaseUrl, schema, connect, send, tracer = noTracer }: HubServiceOptions<Name>,
): Promise<HubService<Name>> {
  const { log } = life;
  const db = openDatabase(databaseUrl, { schema: service, log });
  life.onStop("database", () => db.end({ timeout: 5 }));
  await waitForDatabase(db, log);
  await migrate(db, schema, log);
  const sealing = keepSealing({ db, log });
  life.onStop("seals", sealing.stop);

  const broker = await connect();
  life.onStop("broker", broker.close);
  const { nc } = broker;
  const outbox = await createEventOutbox({
    db,
    nc,
    service,
    log,
    tracer,
    ...(send ? { send: (subject, payload) => send(nc, subject, payload) } : {}),
  });
  life.onStop("outbox", outbox.stop);

  return {
    db,
    nc,
    outbox,
    ask: createAsk(nc),
    hear(options) {
      const consumer = consumeEvents({ nc, service, log, ...options });
      life.onStop("events", consumer.stop);
    },
    every(ms, name, work) {
      let running = Promise.resolve<unknown>(undefined);
      const timer = setInterval(() => {
        running = running.then(work).catch((error) => log.warn(`Cannot ${name}`, { error }));
      }, ms);
      life.onStop(name, () => {
        clearInterval(timer);
        return running;
      });
    },
    serve({ answers, fetch }) {
      const questions = serveAnswers(nc, service, answers, { log, tracer });
      life.onStop("answers", questions.stop);
      const requests = serveHttp({
        nc,
        service,
        fetch: traceFetch(fetch, { service, tracer }),
        log,
      });
      life.onStop("requests", requests.stop);
    },
  };
}
