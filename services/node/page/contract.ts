/**
 * What the owner's page and the agent say to each other. Each side parses what the other one sends.
 * Runs in browsers, too: it imports nothing of the agent.
 * @module
 */
import { z } from "zod";

/** Carries the page's half of a session: the cookie alone lets nobody in (see `sessions.ts`). */
export const SESSION_HEADER = "x-sextant-owner";
/** Leads the key in a link, behind the `#` that no server and no log sees. */
export const KEY_IN_LINK = "key=";

const text = z.string();
const count = z.number();
const attempt = { result_id: count, attempt: count, task_id: count };

export const entrance = z.object({ key: text.max(100) });
export const entered = z.object({ session: text });
/** Why something was not done, a sentence for people. */
export const refusal = z.object({ msg: text });

const asked = {
  image: text,
  user_id: count,
  username: text.nullable(),
  organization_id: count,
  databases: z.array(text),
};

const openRun = z.object({
  ...attempt,
  ...asked,
  parent_id: count.nullable(),
  state: z.enum(["accepted", "started", "finished", "held"]),
  code: text.nullable(),
  method: text.nullable(),
});
export type OpenRun = z.infer<typeof openRun>;

export const overview = z.object({
  version: text,
  /** The hub's API. */
  hub: text,
  node: z.object({ id: count, name: text }).nullable(),
  started_at: text,
  waits_for: text.nullable(),
  trouble: z.object({ reason: text, at: text }).nullable(),
  connected: z.boolean(),
  last_contact: text.nullable(),
  runs: z.array(openRun),
  max_runs: count,
  memory_mib: count,
  load: z.array(count),
  record: z.object({
    services: z.array(z.object({ service: text, size: count, sealed_at: text })),
    alarms: z.array(z.object({ service: text, kind: text, problem: text })),
    agreeing: count,
    agreed_at: text.nullable(),
  }).nullable(),
});
export type Overview = z.infer<typeof overview>;

const decision = z.object({
  is: z.enum(["release", "refuse"]),
  reason: text,
  by: text,
  at: text,
});

const heldNote = z.object({
  ...attempt,
  ...asked,
  since: text,
  why: text,
  code: text.nullable(),
  method: text.nullable(),
  /** What ended a run that did not complete. */
  ended: text.nullable(),
  size: count,
  sha256: text,
  decision: decision.nullable(),
});
export type HeldResult = z.infer<typeof heldNote>;
export const heldList = z.object({ held: z.array(heldNote) });
/** One page of what would leave. */
export const heldShown = z.object({
  note: heldNote,
  text,
  page: count,
  pages: count,
  log: text.nullable(),
});

export const LONGEST_REASON = 500;
/** The digest is that of the result that was looked at: no other one is decided upon. */
export const heldDecision = z.object({
  is: decision.shape.is,
  reason: text.max(4 * LONGEST_REASON),
  sha256: text.regex(/^[0-9a-f]{64}$/),
});
export const decided = z.object({ note: heldNote });

/** One attempt, as far as the piece of the audit log tells that was read. */
const pastRun = z.object({
  ...attempt,
  received_at: text.nullable(),
  asked: z.object(asked).partial().nullable(),
  started_at: text.nullable(),
  code: text.nullable(),
  ended: z.object({ at: text, status: text }).nullable(),
  /** By the rules on what may run, or because its code is another one. */
  refused: z.object({ at: text, reason: text }).nullable(),
  disclosure: z.object({
    decision: text,
    profile: text.nullable(),
    reason: text.nullable(),
    withheld: z.array(z.object({ output: text, rule: text, values: count })),
  }).nullable(),
  held: z.object({ at: text, why: text }).nullable(),
  decision: decision.partial().nullable(),
  dropped: text.nullable(),
  /** What left the site, the last one first. */
  left: z.array(z.object({ at: text, what: text, bytes: count, sha256: text })),
  /** When the last of it was written. */
  at: text,
});
export type PastRun = z.infer<typeof pastRun>;

/** Where reading goes on, in bytes from the beginning of the audit log; null at its beginning. */
const next = count.nullable();

export const history = z.object({ runs: z.array(pastRun), next });

const auditRecord = z.object({
  seq: count,
  at: text,
  event: text,
  details: z.record(text, z.json()),
  /** What is wrong with the line, if anything is. */
  problem: text.nullable(),
});
export type ShownRecord = z.infer<typeof auditRecord>;

export const auditQuery = z.object({
  before: z.coerce.number().int().min(0).optional(),
  event: text.max(100).optional(),
  task: z.coerce.number().int().min(0).optional(),
});
export const auditPage = z.object({
  records: z.array(auditRecord),
  next,
  /** Until when it was looked through; null when nothing was. */
  searched_to: text.nullable(),
});

export const verifyRequest = z.object({ expect: text.regex(/^[0-9a-f]{64}$/).nullable() });
export const verification = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    records: count,
    last: text,
    from: text,
    to: text,
    checkpoints: z.array(z.object({ service: text, size: count, root: text, since: text })),
    alarms: z.array(z.object({ at: text, service: text, problem: text })),
  }),
  z.object({ ok: z.literal(false), line: count, problem: text }),
]);
export type Verified = z.infer<typeof verification>;

const finding = z.object({ name: text, well: z.boolean(), note: text });
const databaseFindings = z.object({
  label: text,
  type: text,
  /** Its file; null where it is an address, which may have a password in it. */
  path: text.nullable(),
  findings: z.array(finding),
});
export type DatabaseFindings = z.infer<typeof databaseFindings>;
export const databases = z.object({
  databases: z.array(databaseFindings),
  looking: z.boolean(),
  looked_at: text.nullable(),
});

/** Named as in node.yaml. */
const settings = z.array(z.object({ name: text, value: text }));
export const rules = z.object({
  /** Null where nothing is ruled. */
  disclosure: settings.nullable(),
  /** Whether the owner has said so, were it that there are none. */
  disclosure_is_said: z.boolean(),
  policies: settings,
  sharing: settings,
  limits: settings,
});
export type Settings = z.infer<typeof settings>;
