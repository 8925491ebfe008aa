/**
 * Times as places in the picture: which part of its width each stretch of a run takes.
 * @module
 */
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { durationText, momentOf } from "../parts/moment.ts";
import type { EarlierAttempt, Family } from "./family.ts";

/** Milliseconds. */
export interface TimeSpan {
  from: number;
  till: number;
}

/** From the first run that was queued, or that started, until the last ended, or now. */
export function spanOf(
  { task, runs }: Pick<Family, "task" | "runs">,
  now: number,
  { withQueue }: { withQueue: boolean },
): TimeSpan {
  let from = Infinity;
  let till = -Infinity;
  for (const { assigned_at, started_at, finished_at } of runs.values()) {
    const begin = withQueue ? assigned_at : started_at;
    if (begin) from = Math.min(from, momentOf(begin));
    till = Math.max(till, finished_at ? momentOf(finished_at) : now);
  }
  if (from === Infinity) from = momentOf(task.created_at);
  // So short that nothing would be seen of it otherwise.
  return { from, till: Math.max(till, from + 100) };
}

export interface Stretch {
  is: "queued" | "earlier" | "running" | "held";
  /** Fractions of the width, from 0 to 1. */
  left: number;
  width: number;
}

/** What a run did, and when, as far as it lies in the span. */
export function stretchesOf(
  run: Pick<RunWithTask, "assigned_at" | "started_at" | "finished_at" | "held_since" | "attempt">,
  { span, now, earlier = [] }: {
    span: TimeSpan;
    now: number;
    earlier?: readonly EarlierAttempt[];
  },
): Stretch[] {
  const stretches: Stretch[] = [];
  const length = span.till - span.from;
  function add(is: Stretch["is"], from: number, till: number): void {
    const left = Math.min(1, Math.max(0, (from - span.from) / length));
    const right = Math.min(1, Math.max(0, (till - span.from) / length));
    if (right > left) stretches.push({ is, left, width: right - left });
  }
  const queued = momentOf(run.assigned_at);
  const started = run.started_at ? momentOf(run.started_at) : undefined;
  const ended = run.finished_at ? momentOf(run.finished_at) : Math.max(now, started ?? queued);
  // The hub keeps the times of the current attempt alone.
  const isUnknown = run.attempt > 1 && earlier.length === 0;
  add(isUnknown ? "earlier" : "queued", queued, started ?? ended);
  for (const { startedAt, endedAt } of earlier) {
    if (startedAt) add("earlier", momentOf(startedAt), momentOf(endedAt));
  }
  if (started === undefined) return stretches;
  const held = run.held_since ? momentOf(run.held_since) : ended;
  add("running", started, Math.min(held, ended));
  add("held", held, ended);
  return stretches;
}

export interface Tick {
  /** A fraction of the width. */
  at: number;
  text: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].map((one) => one * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((one) => one * MINUTE),
  ...[1, 2, 3, 6, 12].map((one) => one * HOUR),
  ...[1, 2, 7, 14, 30, 90].map((one) => one * DAY),
];

/** At round times since the begin of the span. */
export function ticksOf({ from, till }: TimeSpan, most = 6): Tick[] {
  const length = till - from;
  const step = STEPS.find((one) => length / one <= most) ?? 365 * DAY;
  const ticks: Tick[] = [];
  for (let ms = 0; ms <= length; ms += step) {
    ticks.push({ at: ms / length, text: ms === 0 ? "0" : tickText(ms) });
  }
  return ticks;
}

/** Without the parts that are zero: `2 min`, not `2 min 0 s`. */
function tickText(ms: number): string {
  return durationText(ms).replace(/^(\d+) s$/, "$1 s").replace(/ 0 (s|min|h)$/, "")
    .replace(/\.0 s$/, " s");
}
