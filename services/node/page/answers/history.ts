/**
 * What became of the attempts at this node, put together from the audit log.
 * @module
 */
import { z } from "zod";
import { linesBackwards, readForPeople } from "../../record/audit_pages.ts";
import type { PastRun } from "../contract.ts";

/** Attempts that one answer tells of. */
const MOST_RUNS = 50;
/** Read for one answer, in bytes; then whoever asks may ask on. */
const MOST_READ = 8 * 2 ** 20;

const text = z.string().optional().catch(undefined);
const count = z.number().optional().catch(undefined);
const recordSchema = z.looseObject({
  at: z.string(),
  event: z.string(),
  task_id: z.number(),
  result_id: z.number(),
  attempt: z.number(),
  reason: text,
  status: text,
  why: text,
  by: text,
  decided_at: text,
  code: text,
  image: text,
  init_user_id: count,
  init_username: text,
  init_org_id: count,
  databases: z.array(z.string()).optional().catch(undefined),
  decision: text,
  rules: z.looseObject({ profile: z.string() }).nullish().catch(undefined),
  withheld: z.array(z.object({ output: z.string(), rule: z.string(), values: z.number() }))
    .optional().catch(undefined),
  bytes: count,
  sha256: text,
});
type AttemptRecord = z.infer<typeof recordSchema>;

/**
 * The attempts of which the log tells before the byte `before`, the last one first; `next` is where
 * reading goes on. An attempt of which some lies further back is told of again then, with that.
 */
export async function readHistory(
  path: string,
  before: number | undefined,
): Promise<{ runs: PastRun[]; next: number | null }> {
  const runs = new Map<string, PastRun>();
  let begin: number | undefined;
  let at = 0;
  for await (const line of linesBackwards(path, before)) {
    begin ??= line.at;
    if (line.text.includes('"result_id":')) {
      const { record, problem } = readForPeople(line.text);
      const read = problem === null ? recordSchema.safeParse(record).data : undefined;
      if (read) {
        const key = `${read.result_id}-${read.attempt}`;
        if (!runs.has(key) && runs.size >= MOST_RUNS) break;
        runs.set(key, withRecord(runs.get(key) ?? newRun(read), read));
      }
    }
    at = line.at;
    if (begin - at > MOST_READ) break;
  }
  return { runs: [...runs.values()], next: at > 0 ? at : null };
}

function newRun({ task_id, result_id, attempt, at }: AttemptRecord): PastRun {
  return {
    task_id,
    result_id,
    attempt,
    at,
    received_at: null,
    asked: null,
    started_at: null,
    code: null,
    ended: null,
    refused: null,
    disclosure: null,
    held: null,
    decision: null,
    dropped: null,
    left: [],
  };
}

/** The run with one more record, which is older than those before. */
function withRecord(run: PastRun, record: AttemptRecord): PastRun {
  const { at, reason = "" } = record;
  switch (record.event) {
    case "task received":
      return { ...run, received_at: at, asked: askedOf(record) };
    case "refused":
      return { ...run, refused: { at, reason } };
    case "run started":
      return { ...run, started_at: at, code: record.code ?? null };
    case "run ended":
      return { ...run, ended: { at, status: record.status ?? "" } };
    case "disclosure":
      return {
        ...run,
        disclosure: {
          decision: record.decision ?? "",
          profile: record.rules?.profile ?? null,
          reason: record.reason ?? null,
          withheld: record.withheld ?? [],
        },
      };
    case "result held":
      return { ...run, held: { at, why: record.why ?? "" } };
    case "held result released":
    case "held result refused": {
      const is = record.event === "held result refused" ? "refuse" : "release";
      return { ...run, decision: { is, reason, by: record.by, at: record.decided_at ?? at } };
    }
    case "held result dropped":
      return { ...run, dropped: reason };
    case "report leaves":
    case "subtask input leaves": {
      const { bytes = 0, sha256 = "" } = record;
      const what = record.event.replace(" leaves", "");
      return { ...run, left: [...run.left, { at, what, bytes, sha256 }] };
    }
    default:
      return run;
  }
}

function askedOf(record: AttemptRecord): PastRun["asked"] {
  return {
    image: record.image,
    user_id: record.init_user_id,
    username: record.init_username ?? null,
    organization_id: record.init_org_id,
    databases: record.databases ?? [],
  };
}
