/**
 * What an exchange is due for at a moment: decided from its times alone, for both sides of it.
 * @module
 */
import { TICKS } from "./frames.ts";

/** How long what may take, in milliseconds. */
export interface Limits {
  /** How often a side says that it is still there. */
  aliveEveryMs: number;
  /** How long the other side may be silent. */
  silenceMs: number;
}

/** How often an exchange is looked at; several times in one interval of signs of life. */
export function tickMsOf({ aliveEveryMs }: Pick<Limits, "aliveEveryMs">): number {
  return aliveEveryMs / TICKS;
}

/** The times (milliseconds, of one clock) of a request as its asker knows them. */
export interface AskerTimes {
  began: number;
  /**
   * When the last part of the request went out; a body may take as long as it likes while it moves
   * on.
   */
  lastMoved: number;
  lastHeard: number;
  lastSent: number;
  /**
   * Nothing was heard of it yet, and it may be asked a second time: it only reads, and is whole.
   */
  repeatable: boolean;
  /** It is known which replica has it. */
  taken: boolean;
  /** The answer's body has begun to arrive. */
  answering: boolean;
}

/**
 * What the asker has to do: ask another replica, give up on one that is silent or on one that is
 * alive and answers nothing, or say that it is still there itself.
 */
export function dueAtAsker(
  times: AskerTimes,
  now: number,
  limits: Limits & { timeoutMs: number },
): "ask again" | "silent" | "too late" | "say alive" | undefined {
  if (times.repeatable && now - times.began > 3 * tickMsOf(limits)) return "ask again";
  if (now - times.lastHeard > limits.silenceMs) return "silent";
  if (!times.answering && now - times.lastMoved > limits.timeoutMs) return "too late";
  if (times.taken && now - times.lastSent >= limits.aliveEveryMs) return "say alive";
  return undefined;
}

/** For how long a request that nobody listens for is sent again. */
export const RETRY_FOR_MS = 2000;

/** What the asker does when nobody listens where its last message went. */
export function whenNobodyListens(
  { waitsForReplica, began }: {
    /** No replica was heard of yet: it was the request itself. */
    waitsForReplica: boolean;
    began: number;
  },
  now: number,
): "send again" | "give up" | "replica gone" {
  if (!waitsForReplica) return "replica gone";
  return now - began > RETRY_FOR_MS ? "give up" : "send again";
}

/**
 * The times (milliseconds, of one clock) of a request as the service that answers it knows them.
 */
export interface AnswererTimes {
  /** The asker knows which replica has it, and so has to show that it is still there. */
  told: boolean;
  lastHeard: number;
  lastSent: number;
}

/**
 * What the service has to do: give up on an asker who is silent, or say that it is at work; the
 * first time soon.
 */
export function dueAtAnswerer(
  { told, lastHeard, lastSent }: AnswererTimes,
  now: number,
  limits: Limits,
): "silent" | "say alive" | undefined {
  if (told && now - lastHeard > limits.silenceMs) return "silent";
  const everyMs = told ? limits.aliveEveryMs : tickMsOf(limits);
  return now - lastSent >= everyMs ? "say alive" : undefined;
}
