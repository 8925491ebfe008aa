/**
 * Hearing the events of other services without missing one, also those told while this service was
 * down.
 *
 * Each service has one durable consumer on the stream of events; its replicas share it. An event is
 * handled at least once: it is acknowledged when the handler is done, and comes again when that
 * failed or the process died. So a handler must be able to do the same thing twice.
 *
 * Events are kept for some days, and a broker can lose its files. `catchUp` is for that: it
 * compares what the service holds with what the others hold, at every start, whenever the consumer
 * had to be made anew, and every hour, for what was written just while its end was told.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseEvent, type SextantEvent } from "./events.ts";
import type { Logger } from "../service/log.ts";
import { isMissing } from "../broker/errors.ts";
import { ensureEventStream } from "../broker/event_stream.ts";
import {
  AckPolicy,
  type BrokerConnection,
  DeliverPolicy,
  type JsMsg,
  nanos,
} from "../broker/connection.ts";
import { type HubService, STREAMS } from "../broker/subjects.ts";
import { within } from "../tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../tracing/traceparent.ts";

export interface EventConsumerOptions {
  nc: BrokerConnection;
  service: HubService;
  /** Which events, as a subject with wildcards, for example `event.*.deleted`. */
  subject: string;
  /**
   * Resolves when what the event asks for is committed. What it throws is logged, and the event
   * comes again.
   */
  handle: (event: SextantEvent) => Promise<void>;
  /**
   * Mends what missed events have left behind. What it throws is logged, and it is called again.
   */
  catchUp?: () => Promise<void>;
  log: Logger;
  /** How long a replica may take over one event before another gets it. */
  ackWaitMs?: number;
}

export interface EventConsumer {
  /** Takes no more events; resolves when the one under way is done. */
  stop(): Promise<void>;
}

const PULL_MS = 10_000;
const PULL_BATCH = 20;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const CATCH_UP_EVERY_MS = 3_600_000;

export function consumeEvents(
  { nc, service, subject, handle, catchUp, log, ackWaitMs = 30_000 }: EventConsumerOptions,
): EventConsumer {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    let behind = true;
    let caughtUp = 0;
    let check = true;
    while (!signal.aborted) {
      try {
        if (check && await ensureConsumer({ nc, service, subject, ackWaitMs, log })) behind = true;
        if (behind || performance.now() - caughtUp > CATCH_UP_EVERY_MS) {
          await catchUp?.();
          behind = false;
          caughtUp = performance.now();
        }
        check = await pull({ nc, service, handle, log }, signal) === 0;
      } catch (error) {
        check = true;
        if (signal.aborted) return;
        log.warn("Events cannot be heard now; trying again", { error });
        await delay(RETRY_MS, undefined, { signal }).catch(() => {}); // rejects when it is to stop
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Makes sure of stream and consumer; returns whether the consumer is new. */
async function ensureConsumer(
  { nc, service, subject, ackWaitMs, log }:
    & Pick<EventConsumerOptions, "nc" | "service" | "subject" | "log">
    & { ackWaitMs: number },
): Promise<boolean> {
  const manager = await nc.jetstreamManager();
  try {
    const { config } = await manager.consumers.info(STREAMS.events, service);
    if (config.filter_subject === subject) return false;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await ensureEventStream(nc, log);
  await manager.consumers.add(STREAMS.events, {
    durable_name: service,
    filter_subject: subject,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_deliver: -1,
  });
  return true;
}

type Handling = Pick<EventConsumerOptions, "handle" | "log">;

/**
 * Handles what is there and what comes within the next seconds; returns how many events that were.
 */
async function pull(
  { nc, service, ...handling }: Pick<EventConsumerOptions, "nc" | "service"> & Handling,
  signal: AbortSignal,
): Promise<number> {
  const consumer = await nc.jetstream().consumers.get(STREAMS.events, service);
  const messages = await consumer.fetch({ max_messages: PULL_BATCH, expires: PULL_MS });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  // A pull that was under way when the connection broke would never end by itself.
  const expect = () => setTimeout(stop, PULL_MS + RETRY_MS);
  let giveUp = expect();
  let handled = 0;
  try {
    for await (const message of messages) {
      clearTimeout(giveUp);
      if (signal.aborted) message.nak();
      else await handleOne(message, handling);
      handled++;
      giveUp = expect();
    }
  } finally {
    clearTimeout(giveUp);
    signal.removeEventListener("abort", stop);
  }
  return handled;
}

async function handleOne(message: JsMsg, { handle, log }: Handling): Promise<void> {
  const event = parseEvent(message.subject, message.data);
  if (!event) {
    log.debug("An event that is not understood is passed over", { subject: message.subject });
    return message.ack();
  }
  try {
    // What follows from an event is a part of its trace.
    const trace = message.headers?.get(TRACEPARENT_HEADER) || undefined;
    await within(trace, () => handle(event));
    message.ack();
  } catch (error) {
    const again_ms = retryAfterMs(message.info.redeliveryCount);
    log.warn("An event could not be dealt with; it will come again", {
      event: event.name,
      again_ms,
      error,
    });
    message.nak(again_ms);
  }
}

/**
 * When an event comes again whose handler has failed so many times: each time later, up to a limit.
 */
export function retryAfterMs(failures: number): number {
  return Math.min(RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
}
