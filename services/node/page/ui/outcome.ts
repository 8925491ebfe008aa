/**
 * What became of an attempt, in one word and a colour, out of what the audit log tells; and how
 * what was read of it piece by piece comes together.
 * @module
 */
import type { Tone } from "../../../page/parts/status.tsx";
import type { PastRun } from "../contract.ts";
import { texts } from "./texts.ts";

const words = texts.runs;

export interface Outcome {
  tone: Tone;
  /** Ours. */
  word: string;
  /** What the agent, a person or an algorithm said of it; not ours. */
  reasons: string[];
}

export function outcomeOf(run: PastRun): Outcome {
  const { refused, dropped, decision, held, disclosure, ended } = run;
  if (refused) return { tone: "bad", word: words.refused, reasons: [refused.reason] };
  if (decision?.is !== undefined) {
    const { is, by = "", reason = "" } = decision;
    return is === "refuse"
      ? { tone: "bad", word: words.refusedAtRelease(by), reasons: [reason] }
      : { tone: "good", word: words.released(by), reasons: [reason] };
  }
  if (dropped !== null) return { tone: "bad", word: words.dropped, reasons: [dropped] };
  if (held) return { tone: "warn", word: words.held, reasons: [held.why] };
  if (disclosure?.decision === "refused") {
    const word = words.refusedBy(disclosure.profile ?? "");
    return { tone: "bad", word, reasons: disclosure.reason === null ? [] : [disclosure.reason] };
  }
  if (ended) {
    const isWell = ended.status === "completed";
    const withheld = disclosure?.withheld ?? [];
    return {
      tone: !isWell ? "bad" : withheld.length > 0 ? "warn" : "good",
      word: words.ended(ended.status),
      reasons: withheld.map(({ values, output, rule }) => words.withheld(values, output, rule)),
    };
  }
  // Killed, or it could not begin.
  if (run.left.some(({ what }) => what === "report")) {
    return { tone: "bad", word: words.without, reasons: [] };
  }
  return run.started_at === null
    ? { tone: "waiting", word: words.waiting, reasons: [] }
    : { tone: "running", word: words.running, reasons: [] };
}

export const FILTERS = ["all", "stopped", "left"] as const;
export type Filter = typeof FILTERS[number];

export function isShown(run: PastRun, filter: Filter): boolean {
  if (filter === "left") return run.left.length > 0;
  if (filter === "all") return true;
  const { refused, held, disclosure } = run;
  return refused !== null || held !== null || disclosure?.decision === "refused" ||
    (disclosure?.withheld.length ?? 0) > 0;
}

/** Those that were read first with what lies further back; an attempt may be in both. */
export function withOlder(runs: readonly PastRun[], older: readonly PastRun[]): PastRun[] {
  const all = new Map(runs.map((run) => [keyOf(run), run]));
  for (const run of older) {
    const newer = all.get(keyOf(run));
    all.set(keyOf(run), newer ? together(newer, run) : run);
  }
  return [...all.values()];
}

export function keyOf({ result_id, attempt }: PastRun): string {
  return `${result_id}-${attempt}`;
}

function together(newer: PastRun, older: PastRun): PastRun {
  return {
    ...newer,
    received_at: newer.received_at ?? older.received_at,
    asked: newer.asked ?? older.asked,
    started_at: newer.started_at ?? older.started_at,
    code: newer.code ?? older.code,
    ended: newer.ended ?? older.ended,
    refused: newer.refused ?? older.refused,
    disclosure: newer.disclosure ?? older.disclosure,
    held: newer.held ?? older.held,
    decision: newer.decision ?? older.decision,
    dropped: newer.dropped ?? older.dropped,
    left: [...newer.left, ...older.left],
  };
}
