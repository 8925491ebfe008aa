/**
 * Hearing the events of other services without missing one, also those told while this service was down.
 *
 * Each service has one durable consumer on the stream of events; its replicas share it. An event is handled at
 * least once: it is acknowledged when the handler is done, and comes again when that failed or the process died.
 * So a handler must be able to do the same thing twice.
 *
 * Events are kept for some days, and a broker can lose its files. `catchUp` is for that: it compares what the
 * service holds with what the others hold, at every start, whenever the consumer had to be made anew, and every
 * hour, for what was written just while its end was told.
 * @module
 */
import { parseEvent, type SextantEvent } from "./events.ts";
import type { Logger } from "../service/log.ts";
import { isMissing } from "../broker/errors.ts";
import { ensureEventStream } from "../storage/outbox.ts";
import {
  AckPolicy,
  type BrokerConnection,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  nanos,
} from "../broker/connection.ts";
import { type HubService, STREAMS } from "../broker/subjects.ts";

export interface EventConsumerOptions {
  nc: BrokerConnection;
  service: HubService;
  /** Which events, as a subject with wildcards, for example `event.*.deleted`. */
  subject: string;
  /** Resolves when what the event asks for is committed. What it throws is logged, and the event comes again. */
  handle: (event: SextantEvent) => Promise<void>;
  /** Mends what missed events have left behind. What it throws is logged, and it is called again. */
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
  const stopped = new AbortController();
  let pulling: ConsumerMessages | undefined;

  async function handleOne(message: JsMsg): Promise<void> {
    const event = parseEvent(message.subject, message.data);
    if (!event) {
      log.debug("An event that is not understood is passed over", { subject: message.subject });
      return message.ack();
    }
    try {
      await handle(event);
      message.ack();
    } catch (error) {
      const again = Math.min(RETRY_MS * 2 ** (message.info.redeliveryCount - 1), LONGEST_RETRY_MS);
      log.warn("An event could not be dealt with; it will come again", {
        event: event.name,
        again_ms: again,
        error,
      });
      message.nak(again);
    }
  }

  /** Makes sure of stream and consumer; returns whether the consumer is new. */
  async function ensure(manager: JetStreamManager): Promise<boolean> {
    try {
      const { config } = await manager.consumers.info(STREAMS.events, service);
      if (config.filter_subject === subject) return false;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await ensureEventStream(nc);
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

  /** Handles what is there and what comes within the next seconds; returns how many events that were. */
  async function pull(): Promise<number> {
    const consumer = await nc.jetstream().consumers.get(STREAMS.events, service);
    const messages = pulling = await consumer.fetch({
      max_messages: PULL_BATCH,
      expires: PULL_MS,
    });
    if (stopped.signal.aborted) messages.stop();
    // A pull that was under way when the connection broke would never end by itself.
    const expect = () => setTimeout(() => messages.stop(), PULL_MS + RETRY_MS);
    let giveUp = expect();
    let handled = 0;
    try {
      for await (const message of messages) {
        clearTimeout(giveUp);
        if (stopped.signal.aborted) message.nak();
        else await handleOne(message);
        handled++;
        giveUp = expect();
      }
    } finally {
      clearTimeout(giveUp);
    }
    return handled;
  }

  async function run(): Promise<void> {
    let behind = true;
    let caughtUp = 0;
    let check = true;
    while (!stopped.signal.aborted) {
      try {
        if (check) {
          const manager = await nc.jetstreamManager();
          if (await ensure(manager)) behind = true;
        }
        if (behind || performance.now() - caughtUp > CATCH_UP_EVERY_MS) {
          await catchUp?.();
          behind = false;
          caughtUp = performance.now();
        }
        check = await pull() === 0;
      } catch (error) {
        check = true;
        if (stopped.signal.aborted) return;
        log.warn("Events cannot be heard now; trying again", { error });
        await pause(RETRY_MS, stopped.signal);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      pulling?.stop();
      await running;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
