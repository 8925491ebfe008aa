/**
 * What this node has promised, in a file: every state of an attempt is on the disk before the node
 * acts on it.
 *
 * One line per record, `<crc32> <json>`, appended and synced; records that arrive together share
 * one sync. Only the last lines can be torn by a crash, and those are cut off at the next start;
 * damage anywhere else is an error that names the line, because guessing could execute a run twice.
 * What was computed lies in a file of its own, ready to be sent (see `finish_report.ts`).
 * @module
 */
import { crc32 } from "node:zlib";
import { join } from "node:path";
import { z } from "zod";
import { ATTEMPT_STATES } from "../../../shared/node_protocol/status.ts";
import { type AttemptId, attemptIdSchema } from "../../../shared/node_protocol/values.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { type Logger, silentLogger } from "../../../shared/service/log.ts";
import { type Dispatch, dispatchSchema } from "../../../shared/node_protocol/dispatch.ts";
import type { Origin } from "../encryption/sealed.ts";
import { ChangedFileError } from "../payload/pieces.ts";
import { attemptKey } from "./attempt_key.ts";
import { type FinishedRun, writeFinishReport } from "./finish_report.ts";
import { lockFolder, syncFolder, writeSynced } from "./data_folder.ts";

/**
 * How far an attempt is. Held: it has been computed, and what came of it waits on the disk until a
 * person lets it leave; to the hub that is finished and not yet reported.
 */
export const JOURNAL_STATES = [...ATTEMPT_STATES, "held"] as const;
export type JournalState = typeof JOURNAL_STATES[number];

/** An attempt that has not been reported to its end. */
export interface JournalEntry {
  readonly dispatch: Dispatch;
  readonly state: JournalState;
  /** The input that a run has begun on, of an encrypted collaboration. */
  readonly input?: Origin | undefined;
  /** What runs, or ran, for the owner's eyes. */
  readonly code?: Code | undefined;
  /** Of what is finished and encrypted: the fingerprint of the key that it is encrypted with. */
  readonly key?: string | undefined;
}

/** What a run executes, as far as that is known. */
export interface Code {
  /** `sha256:<hex>`. */
  digest?: string | undefined;
  method?: string | undefined;
}

const attemptId = attemptIdSchema.shape;
const originSchema = z.object({ id: z.string(), signed: z.boolean() });
const codeSchema = z.object({ digest: z.string().optional(), method: z.string().optional() });
const recordSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("agent"), version: z.literal(1), agent_id: z.string() }),
  z.object({ is: z.literal("accepted"), dispatch: dispatchSchema }),
  z.object({
    is: z.literal("started"),
    ...attemptId,
    input: originSchema.optional(),
    code: codeSchema.optional(),
  }),
  z.object({ is: z.literal("held"), ...attemptId }),
  z.object({ is: z.literal("finished"), ...attemptId, key: z.string().optional() }),
  z.object({ is: z.literal("closed"), ...attemptId }),
]);
type JournalRecord = z.infer<typeof recordSchema>;

/**
 * The journal cannot be read or written. Whoever meets this must stop: nothing may happen
 * unrecorded.
 */
export class JournalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "JournalError";
  }
}

export interface Journal {
  /** Made once, with the journal: tells the hub whether a node that comes back remembers. */
  readonly agentId: string;
  /** Every attempt that is not closed, by {@linkcode attemptKey}. */
  readonly open: ReadonlyMap<string, JournalEntry>;
  /** Each of these resolves once it is on the disk. */
  accepted(dispatch: Dispatch): Promise<void>;
  started(attempt: AttemptId, input?: Origin, code?: Code): Promise<void>;
  /** What was computed is kept elsewhere, and waits for a person. */
  held(attempt: AttemptId): Promise<void>;
  /**
   * Rejects with a {@linkcode ChangedFileError}, and nothing is noted, when the result is not what
   * it was.
   */
  finished(attempt: AttemptId, run: FinishedRun): Promise<void>;
  /** Reported, or no longer wanted: forget it. */
  closed(attempt: AttemptId): Promise<void>;
  /** The file that holds the report of a finished attempt. */
  reportPath(attempt: AttemptId): string;
  /** Waits for what is being written and lets go of the folder. */
  close(): Promise<void>;
}

export interface OpenJournalOptions {
  log: Logger;
  newId?: () => string;
  /** Bytes beyond which the file is written anew without its closed attempts. */
  compactAbove?: number;
}

/** Opens the journal in `folder`, which is made if need be and locked for this process. */
export async function openJournal(
  folder: string,
  { log, newId = () => crypto.randomUUID(), compactAbove = 8 * 2 ** 20 }: OpenJournalOptions,
): Promise<Journal> {
  const reports = join(folder, "reports");
  await Deno.mkdir(reports, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);
  try {
    return await start({ folder, reports, lock, log, newId, compactAbove });
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function start(
  { folder, reports, lock, log, newId, compactAbove }:
    & Required<OpenJournalOptions>
    & { folder: string; reports: string; lock: { close(): void } },
): Promise<Journal> {
  const path = join(folder, "journal");
  const entries = new Map<string, JournalEntry>();
  const agentId = replay(await readRecords(path, log), entries) ?? newId();
  const reportPath = (attempt: AttemptId) => join(reports, `${attemptKey(attempt)}.json`);
  await removeStrangers(reports, entries);

  let size = 0;
  let compactAt = 0;
  let file = await rewrite();
  let failure: JournalError | undefined;
  let waiting: { line: string; written: PromiseWithResolvers<void> }[] = [];
  let writing: Promise<void> | undefined;

  async function rewrite(): Promise<Deno.FsFile> {
    const fresh = await Deno.open(`${path}.new`, {
      create: true,
      write: true,
      truncate: true,
      mode: 0o600,
    });
    size = await writeSynced(fresh, textOf(agentId, entries));
    compactAt = Math.max(compactAbove, 2 * size);
    await Deno.rename(`${path}.new`, path);
    await syncFolder(folder);
    return fresh;
  }

  async function writeAll() {
    while (waiting.length > 0 && !failure) {
      const batch = waiting;
      waiting = [];
      try {
        size += await writeSynced(file, batch.map(({ line }) => line).join(""));
        for (const { written } of batch) written.resolve();
        if (size > compactAt) {
          const old = file;
          file = await rewrite();
          old.close();
        }
      } catch (cause) {
        // After a failed sync nobody knows what the disk holds: nothing more may be promised.
        failure = new JournalError(
          `Cannot write the journal ${path}: ${
            messageOf(cause)
          }. Make room or mend the disk, then start again.`,
          { cause },
        );
        for (const { written } of [...batch, ...waiting]) written.reject(failure);
      }
    }
    writing = undefined;
  }

  function append(record: JournalRecord): Promise<void> {
    if (failure) return Promise.reject(failure);
    apply(record, entries);
    const written = Promise.withResolvers<void>();
    waiting.push({ line: toLine(record), written });
    writing ??= writeAll();
    return written.promise;
  }

  return {
    agentId,
    open: entries,
    reportPath,
    accepted: (dispatch) => append({ is: "accepted", dispatch }),
    started: ({ result_id, attempt }, input, code) =>
      append({ is: "started", result_id, attempt, input, code }),
    held: ({ result_id, attempt }) => append({ is: "held", result_id, attempt }),
    async finished({ result_id, attempt }, run) {
      const head = { agent_id: agentId, result_id, attempt };
      try {
        await writeFinishReport(reportPath(head), head, run);
      } catch (cause) {
        // The algorithm's doing, not the disk's: the attempt can still end in another way.
        if (cause instanceof ChangedFileError) throw cause;
        throw new JournalError(`Cannot store a result: ${messageOf(cause)}.`, { cause });
      }
      await syncFolder(reports);
      const key = run.result && run.seal?.key ? run.seal.key : undefined;
      await append({ is: "finished", result_id, attempt, key });
    },
    async closed({ result_id, attempt }) {
      await append({ is: "closed", result_id, attempt });
      await Deno.remove(reportPath({ result_id, attempt })).catch(() => {});
    },
    async close() {
      await writing;
      file.close();
      lock.close();
    },
  };
}

/** The journal of the open attempts alone. */
function textOf(agentId: string, entries: ReadonlyMap<string, JournalEntry>): string {
  const lines = [toLine({ is: "agent", version: 1, agent_id: agentId })];
  for (const { dispatch, state, input, code, key } of entries.values()) {
    const { result_id, attempt } = dispatch;
    lines.push(toLine({ is: "accepted", dispatch }));
    if (state === "started" || state === "held") {
      lines.push(toLine({ is: "started", result_id, attempt, input, code }));
    }
    if (state === "held") lines.push(toLine({ is: state, result_id, attempt }));
    if (state === "finished") lines.push(toLine({ is: state, result_id, attempt, key }));
  }
  return lines.join("");
}

/**
 * How far each open attempt is, as the journal in `folder` has it; read by whoever is not the
 * agent, while that may be writing.
 */
export async function readJournalStates(folder: string): Promise<Map<string, JournalState>> {
  const entries = new Map<string, JournalEntry>();
  // A torn end is the agent's, which writes it just now.
  replay(await readRecords(join(folder, "journal"), silentLogger), entries);
  return new Map([...entries].map(([key, { state }]) => [key, state]));
}

function replay(records: JournalRecord[], entries: Map<string, JournalEntry>): string | undefined {
  let agentId: string | undefined;
  for (const record of records) {
    if (record.is === "agent") agentId = record.agent_id;
    else apply(record, entries);
  }
  return agentId;
}

function apply(record: JournalRecord, entries: Map<string, JournalEntry>): void {
  if (record.is === "agent") return;
  if (record.is === "accepted") {
    entries.set(attemptKey(record.dispatch), { dispatch: record.dispatch, state: "accepted" });
    return;
  }
  const key = attemptKey(record);
  const entry = entries.get(key);
  if (record.is === "closed") entries.delete(key);
  else if (entry) {
    const { input, code } = record.is === "started" ? record : entry;
    const { key: sealedFor } = record.is === "finished" ? record : entry;
    const { dispatch } = entry;
    entries.set(key, { dispatch, state: record.is, input, code, key: sealedFor });
  }
}

function toLine(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

function fromLine(line: string): JournalRecord | undefined {
  const json = line.slice(9);
  if (line.slice(0, 9) !== `${crc32(json).toString(16).padStart(8, "0")} `) return undefined;
  const record = recordSchema.safeParse(JSON.parse(json));
  if (record.success) return record.data;
  throw new JournalError(
    `Cannot read the journal: it holds a record that this version does not know: ${line}`,
  );
}

async function readRecords(path: string, log: Logger): Promise<JournalRecord[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new JournalError(`Cannot read the journal ${path}: ${messageOf(error)}`);
  }
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const records = lines.map(fromLine);
  const bad = records.indexOf(undefined);
  const good = (bad < 0 ? records : records.slice(0, bad)) as JournalRecord[];
  if (bad >= 0 && records.slice(bad).some((record) => record !== undefined)) {
    throw new JournalError(
      `Cannot start: line ${
        bad + 1
      } of the journal ${path} is damaged, and not by a crash of this node. ` +
        "Restore the file, or move the folder away: the hub then counts its open attempts as lost.",
    );
  }
  if (torn || bad >= 0) {
    log.warn("The end of the journal was torn by a crash; cut it off", { path });
  }
  return good;
}

/**
 * Removes reports that no attempt refers to: written just before a crash, or just not removed
 * before one.
 */
async function removeStrangers(
  reports: string,
  entries: ReadonlyMap<string, JournalEntry>,
): Promise<void> {
  for await (const { name } of Deno.readDir(reports)) {
    if (entries.get(name.replace(/\.json$/, ""))?.state !== "finished") {
      await Deno.remove(join(reports, name));
    }
  }
}
