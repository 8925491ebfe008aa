/**
 * The stream of events, read through consumers that the broker forgets by itself.
 * @module
 */
import {
  AckPolicy,
  type BrokerConnection,
  DeliverPolicy,
  type JsMsg,
  nanos,
} from "../../../shared/broker/connection.ts";
import { STREAMS } from "../../../shared/broker/subjects.ts";
import { parseEvent } from "../../../shared/messages/events.ts";
import type { FeedEntry } from "./recent.ts";

/** A place in the stream. Another epoch is another stream: its numbers mean nothing in this one. */
export interface Place {
  epoch: string;
  seq: number;
}

export interface ReaderOptions {
  /** The first message that is wanted. */
  start: number;
  /** Messages asked of the broker at once. */
  max: number;
  /** How long one question waits for them. */
  expiresMs: number;
}

/** Begins to read. Nothing is acknowledged: who does not go on is forgotten after a minute. */
export async function openReader(
  nc: BrokerConnection,
  { start, max, expiresMs }: ReaderOptions,
) {
  const manager = await nc.jetstreamManager();
  const { name } = await manager.consumers.add(STREAMS.events, {
    name: `feed-${crypto.randomUUID().slice(0, 13)}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start,
    inactive_threshold: nanos(60_000),
    mem_storage: true,
  });
  const consumer = await nc.jetstream().consumers.get(STREAMS.events, name);
  return {
    fetch: () => consumer.fetch({ max_messages: max, expires: expiresMs }),
    end: () => void manager.consumers.delete(STREAMS.events, name).catch(() => {}),
  };
}

/** The event of a message; `undefined` for one that this version does not know. */
export function entryOf(message: JsMsg): FeedEntry | undefined {
  const event = parseEvent(message.subject, message.data);
  return event && { seq: message.seq, event, size: message.data.length };
}

/** The end of the stream. */
export async function endOfStream(nc: BrokerConnection): Promise<Place> {
  const manager = await nc.jetstreamManager();
  const { created, state } = await manager.streams.info(STREAMS.events);
  return { epoch: Date.parse(created).toString(36), seq: state.last_seq };
}

/** The oldest message that the stream still has. */
export async function firstKept(nc: BrokerConnection): Promise<number> {
  const manager = await nc.jetstreamManager();
  return (await manager.streams.info(STREAMS.events)).state.first_seq;
}
