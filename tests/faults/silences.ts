/**
 * How long nobody was answered after each fault of a cluster, seen from outside: by reading, and by
 * changing something.
 * @module
 */
import type { Site } from "../site.ts";
import { watchAnswers } from "../support/cluster.ts";
import type { Fault } from "./plan.ts";

export interface Silences {
  /** A fault begins: what was silent before is that of the one before. */
  begin(fault: Fault): void;
  /** Seconds: the longest for each kind of target and fault. */
  stop(): Promise<Record<string, { reads: number; changes: number }>>;
}

export function watchSilences(site: Site): Silences {
  async function ok(method: string, path: string, body: unknown, signal: AbortSignal) {
    const answer = await Promise.race([
      site.admin.request(method, path, body),
      new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    ]);
    await answer.body?.cancel();
    return answer.ok;
  }
  const organization = `/organization/${site.members[0]!.id}`;
  let turn = 0;
  const reads = watchAnswers((signal) => ok("GET", organization, undefined, signal), {
    everyMs: 250,
  });
  const changes = watchAnswers(
    (signal) => ok("PATCH", organization, { address1: `Street ${turn++}` }, signal),
    { everyMs: 500 },
  );
  const longest: Record<string, { reads: number; changes: number }> = {};
  let current: string | undefined;
  function note() {
    if (current === undefined) return;
    const before = longest[current] ?? { reads: 0, changes: 0 };
    longest[current] = {
      reads: Math.max(before.reads, reads.longestMs() / 1000),
      changes: Math.max(before.changes, changes.longestMs() / 1000),
    };
  }
  return {
    begin({ target, kind }) {
      note();
      const name = typeof target === "number" ? "node" : target.replace(/-\d$/, "");
      current = `${kind} ${name}`;
      reads.reset();
      changes.reset();
    },
    async stop() {
      note();
      await Promise.all([reads.stop(), changes.stop()]);
      return longest;
    },
  };
}
