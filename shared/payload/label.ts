/**
 * What a signed payload says of itself: who wrote it, for whom, and what it is. All of it is
 * signed, so that a payload is good in the one place that it was written for.
 * @module
 */
import { z } from "zod";
import { id, sha256Text } from "../node_protocol/values.ts";

const fingerprint = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const common = {
  collaboration_id: id,
  /** The organization that wrote it. */
  from: id,
  /** By the fingerprint of which key. */
  key: fingerprint,
  /** The organizations that it is for; more than one where several share a key. */
  to: z.array(id).min(1).max(16),
  /** When it was written, ISO 8601, by the writer's clock. */
  at: z.iso.datetime(),
};
/** The run id: of the task and all that descends from it. */
const run_id = id;

export const labelSchema = z.discriminatedUnion("is", [
  /** The input of a subtask, of which nobody knows the id yet when it is written. */
  z.strictObject({
    is: z.literal("input"),
    ...common,
    run_id,
    /** The task in which the subtask was asked for. */
    parent_id: id,
  }),
  /** The input of a task that a person posts: nobody knows any id of it yet. */
  z.strictObject({
    is: z.literal("request"),
    ...common,
    /** What it is an input for, as the task names it. */
    image: z.string().max(1024),
  }),
  z.strictObject({
    is: z.literal("result"),
    ...common,
    run_id,
    /** Null for the answer to a person's request. */
    parent_id: id.nullable(),
    task_id: id,
    result_id: id,
    /** The payload (see `payloadId` in `sealed.ts`) that was computed on. */
    answers: sha256Text,
  }),
]);
export type Label = z.infer<typeof labelSchema>;
export type InputLabel = Label & { is: "input" };
export type RequestLabel = Label & { is: "request" };

/** An input that lay about for longer is not computed on. */
export const GREATEST_AGE_DAYS = 30;
const DAY_MS = 86_400_000;

/** What agents tell of themselves that read signed inputs of people, and sign what they answer. */
export const SIGNED_REQUESTS = "requests1";

/** What must be said of a payload, wherever in the exchange it belongs. */
export interface Place {
  collaborationId: number;
  /** Of this node. */
  organizationId: number;
  runId: number;
  parentId: number | null;
}

/** Why a payload with this label does not belong here; `undefined` when it does. */
function whyElsewhere(label: Label, is: "input" | "result", place: Place): string | undefined {
  if (label.is === "request" || label.is !== is) {
    return `it was written as the ${label.is} of a task, not as ${aOr(is)}`;
  }
  if (label.collaboration_id !== place.collaborationId) {
    return `it was written in collaboration ${label.collaboration_id}`;
  }
  if (!label.to.includes(place.organizationId)) {
    return `it was written for organization ${label.to.join(", ")}`;
  }
  if (label.parent_id !== place.parentId || label.run_id !== place.runId) {
    return `it was written for a subtask of task ${label.parent_id} of run ${label.run_id}, not of ` +
      (place.parentId === null ? "a user" : `task ${place.parentId} of run ${place.runId}`);
  }
}

const aOr = (is: "input" | "result") => is === "input" ? "an input" : "a result";

/** Why a run is not to compute on this; `undefined` when it may. `from` is whose subtask it is. */
export function whyNotThisInput(
  label: Label,
  place: Place & { from: number },
  now: number,
): string | undefined {
  const elsewhere = whyElsewhere(label, "input", place);
  if (elsewhere) return elsewhere;
  return whyNotOf(label, place.from) ?? whyNotNow(label, now);
}

/** Why a run that a person asked for is not to compute on this; `from` is whose task it is. */
export function whyNotThisRequest(
  label: RequestLabel,
  { collaborationId, organizationId, from, image }:
    & Pick<Place, "collaborationId" | "organizationId">
    & { from: number; image: string },
  now: number,
): string | undefined {
  if (label.collaboration_id !== collaborationId) {
    return `it was written in collaboration ${label.collaboration_id}`;
  }
  if (!label.to.includes(organizationId)) {
    return `it was written for organization ${label.to.join(", ")}`;
  }
  if (!isSameImage(label.image, image)) {
    return `it was written for ${label.image}, not for ${image}`;
  }
  return whyNotOf(label, from) ?? whyNotNow(label, now);
}

/**
 * An image out of an algorithm store is named by its digest in place of the tag that was asked for.
 */
function isSameImage(asked: string, runs: string): boolean {
  const [, bare = asked] = /^(.*?)(?::[^:/@]*)?(?:@.*)?$/.exec(asked) ?? [];
  return asked === runs || (!asked.startsWith("deno:") && runs.startsWith(`${bare}@sha256:`));
}

function whyNotOf({ from }: Label, expected: number): string | undefined {
  if (from === expected) return undefined;
  return `organization ${from} has written it, not organization ${expected}, whose task it is`;
}

function whyNotNow({ at }: Label, now: number): string | undefined {
  const age = now - Date.parse(at);
  if (age > GREATEST_AGE_DAYS * DAY_MS) return `it was written at ${at}, too long ago`;
  if (age < -DAY_MS) return `it was written at ${at}, which is to come`;
}

/** Which result is read, as far as whoever reads it knows. */
export interface WantedResult {
  taskId?: number | undefined;
  resultId?: number | undefined;
  /** For whose result the hub gives it out. */
  organizationId?: number | undefined;
}

/** What a run has sent for a subtask: the payload for each organization. */
export type SentFor = (taskId: number) => ReadonlyMap<number, string> | undefined;

/** Why this is not the result that a run waits for; `undefined` when it is. */
export function whyNotThisResult(
  label: Label,
  place: Place,
  { wanted, sentFor }: { wanted: WantedResult; sentFor: SentFor },
): string | undefined {
  const elsewhere = whyElsewhere(label, "result", place);
  if (elsewhere || label.is !== "result") return elsewhere;
  const { task_id, result_id, from } = label;
  if (wanted.taskId !== undefined && task_id !== wanted.taskId) {
    return `it is a result of task ${task_id}, not of task ${wanted.taskId}`;
  }
  if (wanted.resultId !== undefined && result_id !== wanted.resultId) {
    return `it is result ${result_id}, not result ${wanted.resultId}`;
  }
  if (wanted.organizationId !== undefined && from !== wanted.organizationId) {
    return `it is organization ${from}'s result, not organization ${wanted.organizationId}'s`;
  }
  const sent = sentFor(task_id);
  if (!sent) return `task ${task_id} is no subtask of this run`;
  const input = sent.get(from);
  if (input === undefined) return `organization ${from} was not asked in task ${task_id}`;
  if (input !== label.answers) return "it answers another input than the one that was sent";
}
