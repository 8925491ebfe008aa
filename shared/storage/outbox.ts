/**
 * Changes and the messages that tell of them, in one transaction.
 *
 * A message is a row of the service's `outbox` table until JetStream has acknowledged it. It is
 * published right after the commit, and again by a sweep when that failed, in the order that
 * `outbox_order.ts` tells; `Nats-Msg-Id` lets the broker drop the second copy. One that
 * is too large for the broker would fail for ever: it is dropped with an error in the log.
 * @module
 */
import { setImmediate } from "node:timers";
import { setTimeout as delay } from "node:timers/promises";
import { recordChanges } from "./audit.ts";
import type { Db, JsonValue, Tx } from "./db.ts";
import { inBatches } from "./in_batches.ts";
import {
  createOutboxOrder,
  type OutboxRow,
  type Publish,
  removeRows,
  SWEEP_BATCH,
} from "./outbox_order.ts";
import {
  EVENT_DATA,
  type EventData,
  type EventName,
  eventOf,
  eventSubject,
  traceparentOf,
} from "../messages/events.ts";
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { type BrokerConnection, type JetStreamClient, newHeaders } from "../broker/connection.ts";
import { noTracer, traceparent, type Tracer } from "../tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../tracing/traceparent.ts";
import { ensureEventStream } from "../broker/event_stream.ts";
import { isTooLarge } from "../broker/errors.ts";

/** A transaction that can also tell. */
export interface Change {
  tx: Tx;
  /** Tells of this change, once it is committed. */
  emit<Name extends EventName>(name: Name, data: EventData<Name>): void;
  /**
   * Sends a message to those who are connected, once this change is committed. It is not kept: when
   * this process or the broker ends just then it is lost, and something else must make up for it.
   */
  send(subject: string, payload: JsonValue): void;
}

export interface Outbox {
  /**
   * Runs `work` in one transaction with the messages it emits; resolves after they were handed to
   * the broker.
   */
  change<Result>(work: (change: Change) => Promise<Result>): Promise<Result>;
  /** Publishes what is left over; returns how many (see `outbox_order.ts`). */
  sweep(): Promise<number>;
  /** Rows not yet acknowledged by the broker. */
  backlog(): Promise<number>;
  /** Why messages wait for too long, or `undefined` when they do not. */
  trouble(): Promise<string | undefined>;
  stop(): Promise<void>;
}

export interface OutboxOptions {
  db: Db;
  jetstream: JetStreamClient;
  service: string;
  log: Logger;
  /** Publishes, without an acknowledgement, what a change sends. */
  send?: (subject: string, payload: Uint8Array) => void;
  sweepEveryMs?: number;
  /** Tells when the connection to the broker is lost and there again. */
  watch?: BrokerConnection["watch"];
  /** How long a message that is refused holds up the others of its noun. */
  holdMs?: number;
  tracer?: Tracer;
  now?: () => Date;
}

/** A message that has waited for so long is not merely late. */
const TROUBLE_SECONDS = 10;
/**
 * How long a row waits to be removed together with others: until long before the sweep takes it.
 */
const REMOVAL_MS = 250;
const encoder = new TextEncoder();

export function createOutbox({
  db,
  sweepEveryMs = 1000,
  watch = () => () => {},
  holdMs,
  now = () => new Date(),
  ...options
}: OutboxOptions): Outbox {
  const { log, send = nobodyToSend, tracer = noTracer } = options;
  /** Why the last message that was published stayed; `undefined` when it did not. */
  let lastError: unknown;
  const publishOnce = createPublisher(options);

  async function publish(row: OutboxRow): Promise<void> {
    try {
      await publishOnce(row);
      lastError = undefined;
    } catch (error) {
      lastError = error;
      throw error;
    }
  }
  const order = createOutboxOrder({ db, publish, ...(holdMs === undefined ? {} : { holdMs }) });
  const unwatch = watch((connected) => connected || order.lost());
  // Nobody waits for it: those that are acknowledged in a while share one removal.
  const remove = inBatches((ids: string[]) => removeRows(db, ids), { pauseMs: REMOVAL_MS });
  const inFlight = new Set<Promise<unknown>>();
  const stopping = new AbortController();

  function track(work: Promise<unknown>): void {
    inFlight.add(work);
    work.finally(() => inFlight.delete(work));
  }

  async function change<Result>(work: (change: Change) => Promise<Result>): Promise<Result> {
    let stored: Promise<OutboxRow[]> = Promise.resolve([]);
    let sent: Sent[] = [];
    const result = await db.begin(async (tx) => {
      const open = openChange(tx, now);
      const result = await work(open.change);
      stored = open.store(recordChanges);
      sent = open.sent;
      return result;
    });
    const rows = await stored;
    if (sent.length > 0) track(sendInSpan(sent));
    // Written to the socket before the caller is answered, so that whoever hears the answer and
    // asks again over the same connection meets caches that have heard the event first. The
    // acknowledgement comes later.
    for (const row of rows) {
      track(
        order.publishNew(row).then((gone) => gone ? remove(row.id) : undefined).catch((error) => {
          log.warn("A message stays in the outbox for now", { subject: row.subject, error });
        }),
      );
    }
    return result as Result;
  }

  function sendInSpan(sent: Sent[]): Promise<void> {
    const attributes = { count: sent.length };
    return tracer.span("send", { kind: "producer", attributes }, () => sendAll(sent, send, log));
  }

  const { sweep } = order;
  const sweeper = keepSweeping({ sweep, everyMs: sweepEveryMs, log, signal: stopping.signal });
  return {
    change,
    sweep,
    async backlog() {
      const [row] = await db<{ count: string }[]>`select count(*) from outbox`;
      return Number(row!.count);
    },
    async trouble() {
      const [row] = await db<{ count: number; seconds: number }[]>`
        select count(*)::integer as count,
          coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as seconds from outbox`;
      const { count, seconds } = row!;
      if (seconds < TROUBLE_SECONDS) return undefined;
      const waits = `${count} messages wait to be told, the oldest for ${Math.round(seconds)} s`;
      return lastError === undefined ? waits : `${waits}: ${messageOf(lastError)}`;
    },
    async stop() {
      stopping.abort();
      unwatch();
      await sweeper;
      await Promise.allSettled(inFlight);
    },
  };
}

function createPublisher(
  { jetstream, service, log, tracer = noTracer }: Pick<
    OutboxOptions,
    "jetstream" | "service" | "log" | "tracer"
  >,
): Publish {
  return function publish(row) {
    if (!tracer.on) return send(row);
    // Also where the sweep does it, later or in another process, it belongs to its change.
    const parent = traceparentOf(row.payload);
    if (parent === undefined) return send(row);
    const event = eventOf(row.subject);
    const options = { parent, kind: "producer", attributes: event ? { event } : {} } as const;
    return tracer.span(`outbox ${event ?? "message"}`, options, () => send(row));
  };

  async function send({ id, subject, payload: text }: OutboxRow): Promise<void> {
    const payload = encoder.encode(text);
    const trace = tracer.on ? traceparent() : undefined;
    const headers = trace === undefined ? undefined : newHeaders();
    headers?.set(TRACEPARENT_HEADER, trace!);
    try {
      await jetstream.publish(subject, payload, {
        msgID: `${service}-${id}`,
        ...(headers ? { headers } : {}),
      });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      log.error("A message is too large for the broker and was dropped; its receivers miss it", {
        subject,
        bytes: payload.length,
      });
    }
  }
}

/** What a change sends to those who are connected. */
interface Sent {
  subject: string;
  payload: string;
}

/** So many are sent in a row: a task may be for ten thousand nodes, and others wait. */
const SENT_TOGETHER = 250;

async function sendAll(
  sent: Sent[],
  send: NonNullable<OutboxOptions["send"]>,
  log: Logger,
): Promise<void> {
  for (const [n, { subject, payload }] of sent.entries()) {
    if (n > 0 && n % SENT_TOGETHER === 0) await new Promise<void>((next) => setImmediate(next));
    try {
      send(subject, encoder.encode(payload));
    } catch (error) {
      log.warn("A message could not be sent now", { subject, error });
    }
  }
}

function nobodyToSend(subject: string): never {
  throw new Error(`Cannot send to ${subject}: this service has nobody to send to`);
}

/**
 * Sweeps again and again until the signal is aborted; without a pause while there is more than one
 * batch.
 */
async function keepSweeping(
  { sweep, everyMs, log, signal }: {
    sweep: () => Promise<number>;
    everyMs: number;
    log: Logger;
    signal: AbortSignal;
  },
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      const published = await sweep();
      if (failing) log.info("The outbox is being published again");
      failing = false;
      if (published >= SWEEP_BATCH) continue;
    } catch (error) {
      if (!failing && !signal.aborted) log.warn("The outbox cannot be published now", { error });
      failing = true;
    }
    await delay(everyMs, undefined, { signal }).catch(() => {}); // rejects when it is to stop
  }
}

/** Sends the audit's records of what was told (see `audit.ts`). */
type RecordChanges = (tx: Tx, events: { name: string; data: Record<string, unknown> }[]) => void;

export interface OpenChange {
  change: Change;
  /**
   * Stores what was told, with the audit's records of it, by two statements that leave together
   * with the commit; resolves to the rows that are to be published then.
   */
  store(record: RecordChanges): Promise<OutboxRow[]>;
  /** What is to be sent once the transaction is committed. */
  sent: Sent[];
}

/** A change in an open transaction. */
export function openChange(tx: Change["tx"], now: () => Date): OpenChange {
  const messages: { subject: string; payload: string }[] = [];
  const told: { name: string; data: Record<string, unknown> }[] = [];
  const sent: Sent[] = [];
  return {
    sent,
    change: {
      tx,
      emit(name, data) {
        const content = { at: now().toISOString(), data: EVENT_DATA[name].parse(data) };
        const trace = traceparent();
        told.push({ name, data: content.data });
        messages.push({
          subject: eventSubject(name),
          payload: JSON.stringify(trace ? { ...content, traceparent: trace } : content),
        });
      },
      send(subject, payload) {
        sent.push({ subject, payload: JSON.stringify(payload) });
      },
    },
    store(record) {
      record(tx, told);
      if (messages.length === 0) return Promise.resolve([]);
      return tx.soon(tx<OutboxRow[]>`
        insert into outbox (subject, payload)
        select subject, payload
        from jsonb_to_recordset(${tx.json(messages)}) as message(subject text, payload text)
        returning id, subject, payload`);
    },
  };
}

/** Publishes rows of a service's outbox on its behalf, and takes them out of it. */
export async function publishRows(
  { db, jetstream, service }: Pick<OutboxOptions, "db" | "jetstream" | "service">,
  rows: OutboxRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await Promise.all(
    rows.map(({ id, subject, payload }) =>
      jetstream.publish(subject, payload, { msgID: `${service}-${id}` })
    ),
  );
  await removeRows(db, rows.map((row) => row.id));
}

/** The outbox of a service that is connected, with the stream of events made sure of. */
export async function createEventOutbox(
  { nc, ...options }: Omit<OutboxOptions, "jetstream"> & { nc: BrokerConnection },
): Promise<Outbox> {
  // Without it everything works but the telling, which goes on once the stream is there: whoever
  // hears events makes sure of it, too.
  await ensureEventStream(nc, options.log).catch((error) =>
    options.log.error("Events cannot be told now: the broker does not give their stream", { error })
  );
  return createOutbox({ ...options, jetstream: nc.jetstream(), watch: nc.watch });
}
