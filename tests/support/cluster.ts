/**
 * What tests of a cluster do to it, and see of it.
 * @module
 */
import { findAllOfPostgres, findClusterPrograms } from "../../services/stack/cluster/programs.ts";
import { messageOf } from "../../shared/service/errors.ts";
import type { TestStack } from "../harness.ts";

/** Why no cluster can be started here; `undefined` when one can. */
export function whyNoCluster(): string | undefined {
  try {
    findClusterPrograms();
    findAllOfPostgres();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The process of a database server: not its Patroni's, which outlives it or is outlived by it. */
export function postmaster(stack: TestStack, name: string): number {
  const path = `${stack.folder}/databases/${name}/data/postmaster.pid`;
  return Number(Deno.readTextFileSync(path).split("\n")[0]);
}

/** Kills a database server and its Patroni at once, as the loss of their machine would. */
export async function killDatabaseServer(stack: TestStack, name: string): Promise<void> {
  const pid = postmaster(stack, name);
  const killed = stack.part(name).kill9();
  for (const each of family(pid)) signal(each, "SIGKILL");
  await killed;
}

export function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch { /* gone meanwhile */ }
}

/** A process and all its descendants. */
export function family(pid: number): number[] {
  let children = "";
  try {
    children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  } catch { /* gone meanwhile */ }
  return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(family)];
}

export interface AnswerWatch {
  /** The longest time without an answer so far, in milliseconds; one that lasts counts. */
  longestMs(): number;
  /** Begins a new longest time. */
  reset(): void;
  stop(): Promise<void>;
}

export interface WatchAnswersOptions {
  everyMs?: number;
  /** When a question counts as unanswered, so that it holds no place any more. */
  patienceMs?: number;
}

/**
 * Asks again and again, without waiting for the answer before. `ask` resolves to whether it was
 * answered as it should be; what it throws is no answer.
 */
export function watchAnswers(
  ask: (signal: AbortSignal) => Promise<boolean>,
  { everyMs = 100, patienceMs = 5000 }: WatchAnswersOptions = {},
): AnswerWatch {
  let last = performance.now();
  let longest = 0;
  const underWay = new Set<Promise<void>>();
  function answered() {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  const timer = setInterval(() => {
    const one = ask(AbortSignal.timeout(patienceMs)).then((good) => good && answered(), () => {})
      .then(() => void underWay.delete(one));
    underWay.add(one);
  }, everyMs);
  return {
    longestMs: () => Math.round(Math.max(longest, performance.now() - last)),
    reset() {
      longest = 0;
      last = performance.now();
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
