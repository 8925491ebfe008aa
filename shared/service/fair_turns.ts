/**
 * A bound on how much is done at once, shared fairly: what one party has waiting in line does not
 * hold up the others.
 * @module
 */

/**
 * Runs `work` when it is its turn. What waits is taken from one party after the other, in order.
 */
export type FairTurns<Party> = <Result>(
  party: Party,
  work: () => Promise<Result>,
) => Promise<Result>;

/**
 * At most `atOnce` at a time, and of one party at most half of them: one whose work is slow leaves
 * places for the others.
 */
export function createFairTurns<Party>(atOnce: number): FairTurns<Party> {
  const ofOne = Math.ceil(atOnce / 2);
  let running = 0;
  const runningOf = new Map<Party, number>();
  /** Who waits with what; the party whose turn is next stands first. */
  const lines = new Map<Party, (() => void)[]>();

  function enter(party: Party): void {
    running++;
    runningOf.set(party, (runningOf.get(party) ?? 0) + 1);
  }

  function leave(party: Party): void {
    running--;
    const left = runningOf.get(party)! - 1;
    if (left > 0) runningOf.set(party, left);
    else runningOf.delete(party);
  }

  const hasRoom = (party: Party) => running < atOnce && (runningOf.get(party) ?? 0) < ofOne;

  /** Lets in who is next of those who may enter. */
  function letIn(): void {
    for (const [party, line] of lines) {
      if (running >= atOnce) return;
      if (!hasRoom(party)) continue;
      lines.delete(party);
      const begin = line.shift()!;
      if (line.length > 0) lines.set(party, line);
      // At once, so that nobody who arrives now can overtake.
      enter(party);
      begin();
    }
  }

  return async function inTurn(party, work) {
    if (hasRoom(party) && !lines.has(party)) enter(party);
    else {
      await new Promise<void>((begin) => {
        const line = lines.get(party);
        if (line) line.push(begin);
        else lines.set(party, [begin]);
      });
    }
    try {
      return await work();
    } finally {
      leave(party);
      letIn();
    }
  };
}
