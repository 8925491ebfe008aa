/**
 * The one reader of a process that follows the stream of events, and keeps the newest in memory.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { BrokerConnection, JsMsg } from "../../../shared/broker/connection.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { ResultStatus } from "../../../shared/node_protocol/status.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { SpanAttributes, Tracer } from "../../../shared/tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../../../shared/tracing/traceparent.ts";
import type { FeedEntry, Recent } from "./recent.ts";
import { endOfStream, entryOf, openReader, type Place } from "./stream.ts";

export interface FollowerOptions {
  nc: BrokerConnection;
  recent: Recent;
  /** Is told whenever the end of the stream has moved. */
  moved: () => void;
  tracer: Tracer;
  /** Ends it. */
  signal: AbortSignal;
  log: Logger;
}

export interface Follower {
  /** The end of the stream, as far as it was read. */
  end(): Place;
  /** Resolves once the end is known; also when it is stopped before. */
  ready: Promise<void>;
  /** Resolves when it has ended. */
  ended: Promise<void>;
}

/**
 * Messages asked of the broker at once: each may have 1 MiB, and a connection that is 64 MiB behind
 * is closed. By number, because nats.ws lets a pull that is limited in bytes end with 100 messages,
 * and then waits until it expires.
 */
const PULL = 32;
const PULL_MS = 20_000;
const RETRY_MS = 500;

type Reader = Awaited<ReturnType<typeof openReader>>;

export function createFollower(
  { nc, recent, moved, tracer, signal, log }: FollowerOptions,
): Follower {
  let last = 0;
  let epoch = "";
  const ready = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => ready.resolve(), { once: true });

  function add(message: JsMsg) {
    last = message.seq;
    const entry = entryOf(message);
    if (entry) recent.add(entry);
    const parent = entry && tracer.on ? message.headers?.get(TRACEPARENT_HEADER) : undefined;
    if (entry && parent) void tellInSpan(entry, parent);
    else moved();
  }

  function tellInSpan({ event: { name, data } }: FeedEntry, parent: string): Promise<void> {
    const { task_id, run_id, result_id, attempt } = data as Record<string, unknown>;
    const ids = Object.entries({ task_id, run_id, result_id, attempt })
      .filter(([, id]) => typeof id === "number");
    const attributes: SpanAttributes = { event: name, ...Object.fromEntries(ids) };
    if (name === "result.status") attributes.status = data.status as ResultStatus;
    return tracer.span(
      `feed ${name}`,
      { parent, kind: "consumer", attributes },
      () => Promise.resolve(moved()),
    );
  }

  /** Finds the stream's end, at the start; or that it is another stream than before. */
  async function locate(): Promise<void> {
    const found = await endOfStream(nc);
    if (found.epoch === epoch && found.seq >= last) return;
    epoch = found.epoch;
    last = found.seq;
    recent.clear(last);
    ready.resolve();
    moved();
  }

  /** Takes one pull of messages; false when it brought none, or not those that come next. */
  async function pull(reader: Reader, delivered: { count: number }): Promise<boolean> {
    const messages = await reader.fetch();
    const stop = () => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    // A pull that was under way when the connection broke would never end by itself.
    const giveUp = setTimeout(stop, PULL_MS + 2000);
    const before = last;
    try {
      for await (const message of messages) {
        // What was on its way when a connection broke is not sent again: read it anew.
        if (message.info.deliverySequence !== ++delivered.count) {
          messages.stop();
          return false;
        }
        if (message.seq > last) add(message);
      }
    } finally {
      clearTimeout(giveUp);
      signal.removeEventListener("abort", stop);
    }
    return last > before;
  }

  async function follow(): Promise<void> {
    await locate();
    const reader = await openReader(nc, { start: last + 1, max: PULL, expiresMs: PULL_MS });
    const delivered = { count: 0 };
    try {
      while (!signal.aborted) {
        if (await pull(reader, delivered)) continue;
        return await locate(); // and on with a new consumer, should this one be gone
      }
    } finally {
      reader.end();
    }
  }

  async function keepFollowing(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (signal.aborted) return;
        log.warn("The stream of events cannot be followed now", { reason: messageOf(error) });
        await delay(RETRY_MS);
      }
    }
  }

  return { end: () => ({ epoch, seq: last }), ready: ready.promise, ended: keepFollowing() };
}
