/**
 * The live feed (`GET /events`), beyond v6's API: what of all that happens is shown to watchers,
 * and how it is written.
 * @module
 */
import { z } from "zod";
import { EVENT_DATA, type EventData } from "../messages/events.ts";

/** The events that the live feed shows. */
export const WATCHED_EVENTS = [
  "task.created",
  "task.deleted",
  "result.status",
  "result.log",
  "node.presence",
] as const;
export type WatchedEventName = typeof WATCHED_EVENTS[number];

export function isWatchedEvent(name: string): name is WatchedEventName {
  return (WATCHED_EVENTS as readonly string[]).includes(name);
}

/** An event as a watcher gets it. */
export type WatchedEvent = {
  [Name in WatchedEventName]: {
    name: Name;
    /** When it happened: ISO, UTC. */
    at: string;
    data: EventData<Name>;
  };
}[WatchedEventName];

const time = z.looseObject({ at: z.string() });

/** Reads the data of an event; `undefined` for one that this version does not know. */
export function readWatchedEvent(name: string, data: string): WatchedEvent | undefined {
  if (!isWatchedEvent(name)) return undefined;
  const value: unknown = JSON.parse(data);
  const read = EVENT_DATA[name].safeParse(value);
  if (!read.success) return undefined;
  return { name, at: time.parse(value).at, data: read.data } as WatchedEvent;
}
