/**
 * Which faults, when, and to whom: decided by a seed before anything starts, so that a run can be repeated.
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

export interface Fault {
  /** A part of the stack, or the number of a node. */
  target: typeof SERVICES[number] | number;
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

export function planFaults({ seed, runs, faults, nodes, pauseMs }: PlanOptions): Fault[] {
  const random = randomNumbers(seed);
  const pick = (count: number) => Math.floor(random() * count);
  return Array.from({ length: faults }, (_, index) => {
    const afterRuns = Math.floor((runs * (index + 1)) / (faults + 1));
    // Every target is hit before one is hit again; which node, and how, is left to chance.
    const place = index % (SERVICES.length + 3);
    const target = SERVICES[place] ?? pick(nodes);
    const kinds: Fault["kind"][] = typeof target === "number"
      ? ["kill -9", "pause", "cut off"]
      : ["kill -9", "kill -9", "pause"];
    const kind = kinds[pick(kinds.length)]!;
    const ms = kind === "pause" ? pauseMs : Math.floor(random() * 2000);
    return { target, kind, ms, afterRuns };
  });
}
