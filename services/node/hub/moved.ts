/**
 * Whether the hub has moved the node to another collaboration: an agent asks only at its start what
 * it is, and much depends on that, such as how payloads are encrypted.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Hub, NodeIdentity } from "./hub.ts";

/** The hub has moved the node while its agent ran. */
export class MovedError extends Error {
  override name = "MovedError";
}

export interface MoveWatchOptions {
  hub: Pick<Hub, "whoAmI">;
  identity: NodeIdentity;
  /** Told a {@linkcode MovedError}. */
  fail: (error: unknown) => void;
  signal: AbortSignal;
  /** Between two questions; a hub that sends what is not for this node must not cost more. */
  everyMs?: number;
}

/** Returns what asks the hub, where something speaks for a move; at most once a minute. */
export function createMoveWatch(
  { hub, identity, fail, signal, everyMs = 60_000 }: MoveWatchOptions,
): () => void {
  let isAsking = false;

  async function ask(): Promise<void> {
    const { collaboration } = await hub.whoAmI(signal);
    const before = identity.collaboration;
    if (collaboration.id !== before.id) {
      return fail(
        new MovedError(
          `The hub has moved this node from the collaboration "${before.name}" to ` +
            `"${collaboration.name}". Start its agent again: it takes up the work there.`,
        ),
      );
    }
    await delay(everyMs, undefined, { signal });
  }

  return function suspectMove() {
    if (isAsking) return;
    isAsking = true;
    // Ends with an error only where the agent stops, or the hub refuses the node, which others
    // hear.
    ask().catch(() => {}).finally(() => isAsking = false);
  };
}
