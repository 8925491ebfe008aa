/**
 * A bound on how much is done at once, shared fairly: what one party has waiting in line does not
 * hold up the others.
 * @module
 */

/** Runs `work` when it is its turn. What waits is taken from one party after the other, in order. */
export type FairTurns<Party> = <Result>(
  party: Party,
  work: () => Promise<Result>,
) => Promise<Result>;

/** At most `atOnce` at a time. */
export function createFairTurns<Party>(atOnce: number): FairTurns<Party> {
  let running = 0;
  /** Who waits with what; the party whose turn is next stands first. */
  const lines = new Map<Party, (() => void)[]>();

  function next(): (() => void) | undefined {
    const [first] = lines;
    if (!first) return undefined;
    const [party, line] = first;
    lines.delete(party);
    const enter = line.shift();
    if (line.length > 0) lines.set(party, line);
    return enter;
  }

  return async function inTurn(party, work) {
    if (running >= atOnce) {
      await new Promise<void>((enter) => {
        const line = lines.get(party);
        if (line) line.push(enter);
        else lines.set(party, [enter]);
      });
    } else running++;
    try {
      return await work();
    } finally {
      // The place is handed on rather than freed, so that nobody who arrives now can overtake.
      const enter = next();
      if (enter) enter();
      else running--;
    }
  };
}
