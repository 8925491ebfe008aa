/**
 * A bound on how much is done at once; what comes beyond it waits in line.
 * @module
 */

/** Runs each `work` it is given, at most `atOnce` at a time, in the order in which they came. */
export function createTurns(
  atOnce: number,
): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];

  return async function inTurn(work) {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // The place is handed on rather than freed, so that nobody who arrives now can overtake the
      // queue.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/** Waits for a turn, and has it until the function that it gives is called. */
export async function takeTurn(inTurn: ReturnType<typeof createTurns>): Promise<() => void> {
  const begun = Promise.withResolvers<() => void>();
  void inTurn(() => {
    const turn = Promise.withResolvers<void>();
    begun.resolve(turn.resolve);
    return turn.promise;
  });
  return await begun.promise;
}
