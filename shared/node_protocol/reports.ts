/**
 * What a node reports on `report.<node>.<kind>`, and what the hub answers. A positive answer means:
 * it is committed in the hub's database.
 * @module
 */
import { z } from "zod";
import type { ReportKind } from "../broker/subjects.ts";
import { text } from "../contract/fields.ts";
import { checkpointList } from "./checkpoints.ts";
import { REFUSAL_REASONS } from "./refusal.ts";
import { ATTEMPT_STATES, FINAL_STATUSES } from "./status.ts";
import { signedDispatchSchema } from "./dispatch.ts";
import { attemptIdSchema, codeText, id } from "./values.ts";

/**
 * Which version of this protocol an agent speaks; it says so when it asks for a credential, and in
 * its hello. Agents from before it was told wait for work in a stream that is no more; those of 2
 * sign their reports as a false broker could have them signed (see `signing.ts`).
 */
export const NODE_PROTOCOL = 3;

/** Attempts that one report says are accepted. */
export const MAX_ACCEPTED = 1000;

/** Made once, with the node's journal: tells the hub whether a node that comes back remembers. */
const agent = { agent_id: z.uuid() };
const count = z.int32().min(0);
const reported = { ...agent, ...attemptIdSchema.shape };

export const REPORT_SCHEMAS = {
  /** After every connection: what the agent holds. */
  hello: z.object({
    ...agent,
    protocol: count.default(1),
    /** How many hellos of the node have been dealt with before this one, as far as it knows. */
    after: count,
    open: z.array(attemptIdSchema.extend({ state: z.enum(ATTEMPT_STATES) })),
  }),
  /** After each hello, now and then, and when it is told to: what is there to do? */
  work: z.object({
    ...agent,
    /** The last result of the page before; 0 asks for the first page. */
    after: count,
  }),
  /** The journal has these: they need not be sent again. */
  accepted: z.object({ ...agent, attempts: z.array(attemptIdSchema).max(MAX_ACCEPTED) }),
  /** It is about to compute, and asks for the input. */
  start: z.object({
    ...reported,
    /** What is about to run, where that is known; agents of the version before do not tell it. */
    code: codeText.optional(),
    /**
     * Whether that is what a tag means at this node: another code than the job's may start then.
     */
    by_tag: z.boolean().default(false),
  }),
  /**
   * It has been computed, and waits at the node until a person there lets it leave or refuses it.
   * Hubs of the version before know no such report: their node goes on without it.
   */
  held: z.object({
    ...reported,
    /** Since when. */
    since: z.iso.datetime(),
  }),
  /** The attempt is over. */
  finish: z.object({
    ...reported,
    status: z.enum(FINAL_STATUSES),
    /** The payload, or the id of the blob that holds it. */
    result: text.nullable(),
    in_blob: z.boolean().default(false),
    log: z.string().nullable(),
    /** For people: why it did not complete. */
    reason: z.string().nullable(),
  }),
  /** The attempt cannot be brought to an end. */
  lost: z.object({ ...reported, reason: z.string() }),
} as const satisfies Record<ReportKind, z.ZodType>;

/** A report as the hub reads it. */
export type ReportBody<Kind extends ReportKind> = z.infer<typeof REPORT_SCHEMAS[Kind]>;
/** A report as a node writes it: what has a default may be left out. */
export type WrittenReport<Kind extends ReportKind> = z.input<typeof REPORT_SCHEMAS[Kind]>;

/** A reason that a later hub invents means to this node what `unknown` means. */
const reason = z.enum(REFUSAL_REASONS).catch("unknown");
const refused = z.object({ ok: z.literal(false), reason });
/** The hub does not take a report, for good: the node forgets the attempt. */
export type Refused = z.infer<typeof refused>;

export const REPORT_ANSWERS = {
  hello: z.discriminatedUnion("ok", [
    z.object({
      ok: z.literal(true),
      /** Attempts the agent holds that are over: it stops and forgets them. */
      drop: z.array(attemptIdSchema.extend({ reason })),
    }),
    z.object({
      /**
       * It does not follow the last hello: it is a late copy, or the agent has just started and
       * cannot know.
       */
      ok: z.literal(false),
      /** So many have been dealt with: the next one comes after these. */
      hellos: count,
    }),
  ]),
  work: z.object({
    ok: z.literal(true),
    /** What the node has not accepted, by result, each signed as on `dispatch.<node>`. */
    dispatches: z.array(signedDispatchSchema),
    /** The last result of this page, when there may be more after it. */
    next: id.nullable(),
    /** Of the hub's audit record; not told by hubs of the version before. */
    checkpoints: checkpointList.optional().catch(undefined),
  }),
  accepted: z.object({ ok: z.literal(true) }),
  start: z.discriminatedUnion("ok", [
    // Which code the job runs, when another one was about to start.
    refused.extend({ job_code: codeText.optional().catch(undefined) }),
    z.object({
      ok: z.literal(true),
      /** The stored input; null when it is too long for a message and must be fetched over HTTP. */
      input: z.string().nullable(),
      input_via_http: z.boolean(),
      /** The blob that holds the input, if one does. */
      input_blob: z.string().nullable(),
      /** ISO 8601. */
      started_at: z.string(),
      /** Which code the job runs, when a tag means another one at this node. */
      job_code: codeText.optional().catch(undefined),
    }),
  ]),
  held: z.discriminatedUnion("ok", [refused, z.object({ ok: z.literal(true) })]),
  finish: z.discriminatedUnion("ok", [refused, z.object({ ok: z.literal(true) })]),
  lost: z.discriminatedUnion("ok", [
    refused,
    z.object({
      ok: z.literal(true),
      /** `null` when it was lost too often and has failed. */
      next_attempt: z.number().int().nullable(),
    }),
  ]),
} as const satisfies Record<ReportKind, z.ZodType>;
export type ReportAnswer<Kind extends ReportKind> = z.infer<typeof REPORT_ANSWERS[Kind]>;

/**
 * The hub could not deal with a report; one with the code `invalid_request` will never be taken.
 */
export const reportFailureSchema = z.object({
  error: z.object({ code: z.string(), msg: z.string() }),
});
export type ReportFailure = z.infer<typeof reportFailureSchema>;
