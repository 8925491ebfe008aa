/**
 * What happens, as every part hears it: `event.<noun>.<verb>` on the stream EVENTS.
 *
 * An event is written in the transaction of the change it tells of (see `outbox.ts`), so it is
 * never told of what did not happen, and never forgotten.
 * @module
 */
import { z } from "zod";
import type { Logger } from "../service/log.ts";
import type { BrokerConnection } from "../broker/connection.ts";
import { subjects } from "../broker/subjects.ts";
import { traceparentSchema } from "../tracing/traceparent.ts";

const idNumber = z.number().int();

/** What each event tells. The ids decide who may see it and which caches it drops. */
export const EVENT_DATA = {
  "organization.changed": z.object({
    organization_id: idNumber,
    /**
     * The fingerprint of its new public key, when that was changed; null when it was taken away.
     */
    public_key: z.string().nullable().optional(),
  }),
  "organization.deleted": z.object({ organization_id: idNumber }),
  "user.changed": z.object({ user_id: idNumber, organization_id: idNumber }),
  "user.deleted": z.object({ user_id: idNumber, organization_id: idNumber }),
  /** A log-in has ended by itself: not with its user or node, nor with what changed of these. */
  "session.ended": z.object({
    session_id: z.uuid(),
    client_type: z.enum(["user", "node"]),
    client_id: idNumber,
  }),
  /** Nothing that it signed is good any more. */
  "signing_key.withdrawn": z.object({ kid: z.string() }),
  "role.changed": z.object({ role_id: idNumber }),
  "role.deleted": z.object({ role_id: idNumber }),
  "collaboration.changed": z.object({ collaboration_id: idNumber }),
  "collaboration.deleted": z.object({ collaboration_id: idNumber }),
  "study.changed": z.object({ study_id: idNumber, collaboration_id: idNumber }),
  "study.deleted": z.object({ study_id: idNumber, collaboration_id: idNumber }),
  "node.changed": z.object({
    node_id: idNumber,
    organization_id: idNumber,
    collaboration_id: idNumber,
  }),
  "node.deleted": z.object({
    node_id: idNumber,
    organization_id: idNumber,
    collaboration_id: idNumber,
  }),
  /** A node has left this collaboration for another one. */
  "membership.deleted": z.object({
    node_id: idNumber,
    organization_id: idNumber,
    collaboration_id: idNumber,
  }),
  "node.key_reset": z.object({
    node_id: idNumber,
    organization_id: idNumber,
    collaboration_id: idNumber,
  }),
  "node.presence": z.object({
    node_id: idNumber,
    organization_id: idNumber,
    collaboration_id: idNumber,
    status: z.enum(["online", "offline"]),
  }),
  "algorithmstore.changed": z.object({
    algorithmstore_id: idNumber,
    collaboration_id: idNumber.nullable(),
  }),
  "algorithmstore.deleted": z.object({
    algorithmstore_id: idNumber,
    collaboration_id: idNumber.nullable(),
  }),
  "task.created": z.object({
    task_id: idNumber,
    run_id: idNumber,
    parent_id: idNumber.nullable(),
    collaboration_id: idNumber,
    init_org_id: idNumber,
    init_user_id: idNumber,
  }),
  "task.deleted": z.object({
    task_id: idNumber,
    collaboration_id: idNumber,
    init_org_id: idNumber,
    init_user_id: idNumber,
  }),
  "result.status": z.object({
    result_id: idNumber,
    task_id: idNumber,
    run_id: idNumber,
    parent_id: idNumber.nullable(),
    collaboration_id: idNumber,
    organization_id: idNumber,
    init_org_id: idNumber,
    init_user_id: idNumber,
    status: z.string(),
    /** The task's own status, which this change may have moved. */
    task_status: z.string(),
    attempt: idNumber,
    /** Since when it has waited for a person at its organization to release it, if it does. */
    held_since: z.string().nullable().optional(),
  }),
  /** What a running algorithm has printed. */
  "result.log": z.object({
    result_id: idNumber,
    task_id: idNumber,
    run_id: idNumber,
    collaboration_id: idNumber,
    organization_id: idNumber,
    init_org_id: idNumber,
    init_user_id: idNumber,
    attempt: idNumber,
    seq: idNumber,
    lines: z.array(z.string()),
  }),
} as const;

export type EventName = keyof typeof EVENT_DATA;
export type EventData<Name extends EventName> = z.infer<typeof EVENT_DATA[Name]>;
export type SextantEvent = {
  [Name in EventName]: { name: Name; at: string; data: EventData<Name> };
}[EventName];

/** The subject of an event. */
export function eventSubject(name: EventName): string {
  const [noun, verb] = name.split(".") as [string, string];
  return subjects.event(noun, verb);
}

/** The event that a subject is of, where this version knows it. */
export function eventOf(subject: string): EventName | undefined {
  const name = subject.replace(/^event\./, "");
  return Object.hasOwn(EVENT_DATA, name) ? name as EventName : undefined;
}

const envelope = z.object({ at: z.string(), data: z.unknown() });
const traced = z.object({ traceparent: traceparentSchema });

/** The span in whose course a message of the outbox was written, if there was one. */
export function traceparentOf(payload: string): string | undefined {
  return traced.safeParse(JSON.parse(payload)).data?.traceparent;
}

/**
 * Parses what came on an event subject; `undefined` for an event this version does not know or
 * cannot read.
 */
export function parseEvent(subject: string, payload: Uint8Array): SextantEvent | undefined {
  const name = eventOf(subject);
  if (name === undefined) return undefined;
  try {
    const { at, data } = envelope.parse(JSON.parse(new TextDecoder().decode(payload)));
    return { name, at, data: EVENT_DATA[name].parse(data) } as SextantEvent;
  } catch {
    return undefined;
  }
}

export interface SubscribeEventsOptions {
  log: Logger;
  /**
   * Called after a reconnection: events may have been missed, so whatever they keep fresh may be
   * stale.
   */
  onGap: () => void;
}

/**
 * Hears every event while connected. For caches and waiting requests, which can start afresh after
 * a gap; what must not miss one reads the stream instead.
 */
export function subscribeEvents(
  nc: BrokerConnection,
  handle: (event: SextantEvent) => void | Promise<void>,
  { log, onGap }: SubscribeEventsOptions,
): { stop(): void } {
  const subscription = nc.subscribe(subjects.allEvents(), {
    async callback(error, message) {
      if (error) return;
      const event = parseEvent(message.subject, message.data);
      if (!event) return;
      try {
        await handle(event);
      } catch (cause) {
        log.warn("An event could not be handled", { event: event.name, error: cause });
      }
    },
  });
  const unwatch = nc.watch((connected) => {
    if (connected) onGap();
  });
  return {
    stop() {
      unwatch();
      subscription.unsubscribe();
    },
  };
}
