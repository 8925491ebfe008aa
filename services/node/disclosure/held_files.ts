/**
 * Results that wait for a person, on the disk: for each attempt what the algorithm returned, a note
 * of what it is, and the decision once there is one. Only the agent writes the first two, and only
 * the owner's commands the third, so that neither needs the other to run.
 *
 * Which of them count is in the journal: files of an attempt that it does not have as held are left
 * over from a crash.
 * @module
 */
import { basename, join } from "node:path";
import { z } from "zod";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { FINAL_STATUSES, type FinalStatus } from "../../../shared/node_protocol/status.ts";
import { type AttemptId, attemptIdSchema } from "../../../shared/node_protocol/values.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import {
  ChangedFileError,
  collect,
  type ContentFile,
  readContent,
  readPieces,
  writePieces,
} from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_key.ts";
import type { Code } from "../record/journal.ts";
import { giveToOwnerOf, syncFolder } from "../record/data_folder.ts";

const text = z.string();
const noteSchema = z.object({
  version: z.literal(1),
  ...attemptIdSchema.shape,
  task_id: z.number(),
  /** ISO 8601. */
  since: text,
  image: text,
  user_id: z.number(),
  username: text.optional(),
  organization_id: z.number(),
  databases: z.array(text),
  /** A sentence. */
  why: text,
  /** What ran, `sha256:<hex>`, and what of it was called, where that is known. */
  code: text.optional(),
  method: text.optional(),
  /** How the run ended, as whoever asked reads it if a person lets it leave. */
  status: z.enum(FINAL_STATUSES).default("completed"),
  reason: text.nullable().default(null),
  /** What ended it, for the owner alone; null of one that completed. */
  ended: text.nullable().default(null),
  log: text.nullable(),
  /** 0 where it left no result. */
  size: z.number(),
  sha256: text,
});
/** What is known of a run that waits with what came of it. */
export type HeldNote = z.infer<typeof noteSchema>;

const decisionSchema = z.object({
  is: z.enum(["release", "refuse"]),
  reason: text,
  /** The account that decided. */
  by: text,
  /** ISO 8601. */
  at: text,
});
/** What a person has decided about a result. */
export type HeldDecision = z.infer<typeof decisionSchema>;

const LONGEST_METHOD = 200;

/** Where they are, in a node's data folder. */
export function heldFolder(dataFolder: string): string {
  return join(dataFolder, "held");
}

export function resultPath(folder: string, attempt: AttemptId): string {
  return join(folder, `${attemptKey(attempt)}.result`);
}

const notePath = (folder: string, attempt: AttemptId) =>
  join(folder, `${attemptKey(attempt)}.json`);
const decisionPath = (folder: string, attempt: AttemptId) =>
  join(folder, `${attemptKey(attempt)}.decision`);

/** A result cannot be kept: it is not what was there any more, or the disk has no room for it. */
export class UnkeptResultError extends Error {
  override name = "UnkeptResultError";
}

/** What {@linkcode writeHeld} keeps. */
export interface ToHold {
  dispatch: Dispatch;
  /** Null where the run left none: that waits as well. */
  result: ContentFile | null;
  status: FinalStatus;
  reason: string | null;
  ended: string | null;
  log: string | null;
  why: string;
  code: Code | undefined;
  since: Date;
}

/**
 * Copies a result and notes what it is; resolves once all of it is on the disk. Rejects with an
 * {@linkcode UnkeptResultError} when it is the result that cannot be kept: without it the note can.
 */
export async function writeHeld(
  folder: string,
  { dispatch, result, status, reason, ended, log, why, code, since }: ToHold,
): Promise<HeldNote> {
  const copy = await copyResult(result, resultPath(folder, dispatch));
  const { init_username: username } = dispatch;
  const note: HeldNote = {
    version: 1,
    result_id: dispatch.result_id,
    attempt: dispatch.attempt,
    task_id: dispatch.task_id,
    since: since.toISOString(),
    image: dispatch.image,
    user_id: dispatch.init_user_id,
    ...(username ? { username } : {}),
    organization_id: dispatch.init_org_id,
    databases: dispatch.databases.map(({ label }) => label),
    why,
    ...(code?.digest === undefined ? {} : { code: code.digest }),
    ...(code?.method === undefined ? {} : { method: code.method.slice(0, LONGEST_METHOD) }),
    status,
    reason,
    ended,
    log,
    size: copy.size,
    sha256: copy.sha256,
  };
  await writeWhole(notePath(folder, dispatch), JSON.stringify(note));
  await syncFolder(folder);
  return note;
}

async function copyResult(result: ContentFile | null, path: string): Promise<ContentFile> {
  try {
    const copy = await writePieces(path, result ? readContent(result) : []);
    await syncFile(path);
    return copy;
  } catch (cause) {
    if (result === null) throw cause;
    throw new UnkeptResultError(`${messageOf(cause)}.`, { cause });
  }
}

/** What is known of a result; throws when there is none that can be read. */
export async function readHeld(folder: string, attempt: AttemptId): Promise<HeldNote> {
  return noteSchema.parse(JSON.parse(await Deno.readTextFile(notePath(folder, attempt))));
}

/**
 * Reads parts of a held result, from `start` up to `end`. A {@linkcode ChangedFileError} says what
 * can be done about one that is not there any more.
 */
export function readerOf(folder: string, note: HeldNote) {
  const path = resultPath(folder, note);
  return (start: number, end: number) =>
    collect(readPieces(path, { start, end })).catch((cause) => {
      throw new ChangedFileError(
        `The result of run ${note.result_id} cannot be read any more: ${messageOf(cause)}. ` +
          "Nothing of it can leave; refuse it.",
        { cause },
      );
    });
}

/** Removes all that is kept of an attempt, if anything is. */
export async function removeHeld(folder: string, attempt: AttemptId): Promise<void> {
  for (const path of [notePath, resultPath, decisionPath]) {
    await Deno.remove(path(folder, attempt)).catch(ignoreMissing);
  }
}

/** Removes what is of no attempt that is held, and drafts; makes the folder if need be. */
export async function removeStrangers(
  folder: string,
  isHeld: (key: string) => boolean,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(folder)) {
    const key = /^(\d+-\d+)\.(?:json|result|decision)$/.exec(name)?.[1];
    if (key === undefined || !isHeld(key)) await Deno.remove(join(folder, name));
  }
}

/** The notes of all results of which the files are there, the oldest first. */
export async function listHeld(folder: string): Promise<HeldNote[]> {
  const notes: HeldNote[] = [];
  for (const { name } of await Array.fromAsync(Deno.readDir(folder)).catch(noneIfMissing)) {
    const [, result_id, attempt] = /^(\d+)-(\d+)\.json$/.exec(basename(name)) ?? [];
    if (attempt === undefined) continue;
    const id = { result_id: Number(result_id), attempt: Number(attempt) };
    // One that was released just now is gone.
    const note = await readHeld(folder, id).catch(ignoreMissing);
    if (note) notes.push(note);
  }
  return notes.sort((one, other) => one.since.localeCompare(other.since));
}

/** What was decided, if anything was. */
export async function readDecision(
  folder: string,
  attempt: AttemptId,
): Promise<HeldDecision | undefined> {
  const content = await Deno.readTextFile(decisionPath(folder, attempt)).catch(ignoreMissing);
  return content === undefined ? undefined : decisionSchema.parse(JSON.parse(content));
}

/**
 * Notes a decision, durably; the first one stays. Resolves to the one that was there before, which
 * counts.
 */
export async function writeDecision(
  folder: string,
  attempt: AttemptId,
  decision: HeldDecision,
): Promise<HeldDecision | undefined> {
  const path = decisionPath(folder, attempt);
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, JSON.stringify(decision), { mode: 0o600, createNew: true });
  await giveToOwnerOf(folder, draft);
  await syncFile(draft);
  try {
    // Whole at once, and only where there is none.
    await Deno.link(draft, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await readDecision(folder, attempt);
  } finally {
    await Deno.remove(draft);
  }
  await syncFolder(folder);
  return undefined;
}

async function writeWhole(path: string, content: string): Promise<void> {
  const draft = `${path}.new`;
  await Deno.writeTextFile(draft, content, { mode: 0o600 });
  await syncFile(draft);
  await Deno.rename(draft, path);
}

async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  await file.sync();
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function noneIfMissing(error: unknown): never[] {
  if (error instanceof Deno.errors.NotFound) return [];
  throw error;
}
