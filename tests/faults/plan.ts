/**
 * Which faults, when, and to whom: decided by a seed before anything starts, so that a run can be
 * repeated.
 * @module
 */
export const SERVICES = [
  "identity",
  "collaboration",
  "task",
  "gateway",
  "nats",
  "postgres",
] as const;

/**
 * Of a cluster one of each kind at a time; `primary` and `standby` are whichever database server is
 * that then.
 */
export const CLUSTER = [
  "primary",
  "identity",
  "nats",
  "task-2",
  "gateway",
  "standby",
  "collaboration",
  "nats-2",
  "primary",
  "gateway-2",
  "identity-2",
  "task",
  "nats-3",
  "collaboration-2",
] as const;

export type Target = typeof SERVICES[number] | typeof CLUSTER[number];

export interface Fault {
  /** A part of the stack, or the number of a node. */
  target: Target | number;
  kind: "kill -9" | "pause" | "cut off";
  /** How long it stays dead, stopped or cut off. */
  ms: number;
  /** Happens when so many runs were posted. */
  afterRuns: number;
}

export interface PlanOptions {
  seed: number;
  runs: number;
  faults: number;
  nodes: number;
  /** Milliseconds of a pause. */
  pauseMs: number;
  cluster?: boolean;
}

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function planFaults(
  { seed, runs, faults, nodes, pauseMs, cluster = false }: PlanOptions,
): Fault[] {
  const targets: readonly Target[] = cluster ? CLUSTER : SERVICES;
  const canCut = (target: Target) => cluster && /^nats|^primary|^standby/.test(target);
  const random = randomNumbers(seed);
  const pick = (count: number) => Math.floor(random() * count);
  return Array.from({ length: faults }, (_, index) => {
    const afterRuns = Math.floor((runs * (index + 1)) / (faults + 1));
    // Every target is hit before one is hit again; which node, and how, is left to chance.
    const place = index % (targets.length + 3);
    const target = targets[place] ?? pick(nodes);
    const kinds: Fault["kind"][] = typeof target === "number"
      ? ["kill -9", "pause", "cut off"]
      : canCut(target)
      ? ["kill -9", "pause", "cut off"]
      : ["kill -9", "kill -9", "pause"];
    const kind = kinds[pick(kinds.length)]!;
    // A server that is cut off notices only after a while.
    const long = kind === "pause" || (kind === "cut off" && typeof target !== "number");
    const ms = long ? pauseMs : Math.floor(random() * 2000);
    return { target, kind, ms, afterRuns };
  });
}
