/**
 * The stream of events, the one thing that JetStream keeps: what it holds, and for how long.
 *
 * It is bounded in bytes, age and messages of one subject: what is over a bound goes, the oldest
 * first. Without a bound whoever makes much happen fills the disk, and then nothing is told any
 * more. Services that were down longer than it reaches back compare what they hold (`catchUp` in
 * event_consumer.ts); a client's live feed says that something is missing.
 * @module
 */
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import {
  type BrokerConnection,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  StorageType,
} from "./connection.ts";
import { isMissing, isWithoutRoom } from "./errors.ts";
import { STREAMS, subjects } from "./subjects.ts";

/** How long events can be read again: for clients that reconnect and services that were down. */
const EVENTS_KEPT_HOURS = 72;
export const EVENT_LIMITS = {
  max_age: nanos(EVENTS_KEPT_HOURS * 3_600_000),
  max_bytes: 4 * 2 ** 30,
  /** There are some twenty subjects; most messages are pieces of logs and status of results. */
  max_msgs_per_subject: 500_000,
};
type EventLimits = typeof EVENT_LIMITS;
/** On how many servers of a broker the events are; one of them may be lost. */
const REPLICAS = 3;
/** A broker that has less room than this for events has too little. */
const LEAST_BYTES = 16 * 2 ** 20;

/**
 * Makes the stream of events if it is not there, and bounds one that is; every service may be the
 * first. A bound that an operator has set lower stays. A broker with less room gets lower ones. A
 * broker of three servers or more has it on three, also where it was on one before.
 */
export async function ensureEventStream(
  nc: Pick<BrokerConnection, "jetstreamManager"> & Partial<Pick<BrokerConnection, "addresses">>,
  log?: Pick<Logger, "warn">,
): Promise<void> {
  const manager = await nc.jetstreamManager();
  const before = await limitsOf(manager);
  const num_replicas = (nc.addresses?.length ?? 1) < REPLICAS
    ? before?.num_replicas ?? 1
    : REPLICAS;
  const wanted = { ...before ? lower(EVENT_LIMITS, before) : EVENT_LIMITS, num_replicas };
  if (before && isSame(before, wanted) && before.num_replicas === num_replicas) return;
  for (let limits = wanted;; limits = { ...limits, max_bytes: limits.max_bytes / 4 }) {
    try {
      if (before) await manager.streams.update(STREAMS.events, limits);
      else {
        await manager.streams.add({
          name: STREAMS.events,
          subjects: [subjects.allEvents()],
          retention: RetentionPolicy.Limits,
          storage: StorageType.File,
          ...limits,
        });
      }
      return;
    } catch (error) {
      if (!isWithoutRoom(error) || limits.max_bytes / 4 < LEAST_BYTES) throw error;
      log?.warn("The broker has less room for events than they may take; giving them less", {
        bytes: limits.max_bytes / 4,
        reason: messageOf(error),
      });
    }
  }
}

/** The bounds of the stream, and on how many servers it is; `undefined` when there is none. */
async function limitsOf(
  manager: JetStreamManager,
): Promise<EventLimits & { num_replicas: number } | undefined> {
  try {
    const { max_age, max_bytes, max_msgs_per_subject, num_replicas } =
      (await manager.streams.info(STREAMS.events)).config;
    return { max_age, max_bytes, max_msgs_per_subject, num_replicas };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Of each bound the lower one; none, which the broker calls 0 or -1, is the highest. */
export function lower(one: EventLimits, other: EventLimits): EventLimits {
  const least = (...bounds: number[]) => Math.min(...bounds.filter((bound) => bound > 0));
  return {
    max_age: least(one.max_age, other.max_age),
    max_bytes: least(one.max_bytes, other.max_bytes),
    max_msgs_per_subject: least(one.max_msgs_per_subject, other.max_msgs_per_subject),
  };
}

function isSame(one: EventLimits, other: EventLimits): boolean {
  return one.max_age === other.max_age && one.max_bytes === other.max_bytes &&
    one.max_msgs_per_subject === other.max_msgs_per_subject;
}

/** How full the stream is. Rejects when JetStream does not answer. */
export async function eventStreamState(
  nc: Pick<BrokerConnection, "jetstreamManager">,
): Promise<{ messages: number; bytes: number; maxBytes: number }> {
  const manager = await nc.jetstreamManager();
  const { state, config } = await manager.streams.info(STREAMS.events);
  return { messages: state.messages, bytes: state.bytes, maxBytes: config.max_bytes };
}

/** How long the broker may take to tell of the stream. */
const ANSWERS_WITHIN_MS = 3_000;

/** Why the stream of events cannot be had, or `undefined` when it answers. */
export async function eventStreamTrouble(
  nc: Pick<BrokerConnection, "jetstreamManager">,
): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, ANSWERS_WITHIN_MS, "JetStream does not answer");
  });
  async function look(): Promise<string | undefined> {
    try {
      const manager = await nc.jetstreamManager();
      await manager.streams.info(STREAMS.events);
      return undefined;
    } catch (error) {
      return isMissing(error)
        ? `JetStream has no stream ${STREAMS.events}`
        : `JetStream does not answer: ${messageOf(error)}`;
    }
  }
  return await Promise.race([look(), late]).finally(() => clearTimeout(timer));
}
