/**
 * How many runs compute at once.
 *
 * A run that waits for its subtasks gives its slot back, or a central run would keep out the
 * partial run that it waits for, on this node or, in a ring, on another one.
 * @module
 */
export interface Slots {
  /**
   * Resolves when there is a slot; those who had one before go first. Rejects when `signal` is
   * aborted.
   */
  take(signal: AbortSignal, options?: { again?: boolean }): Promise<void>;
  /** Takes one whether or not there is one. */
  occupy(): void;
  release(): void;
}

export function createSlots(limit: number): Slots {
  let free = limit;
  const again: (() => void)[] = [];
  const fresh: (() => void)[] = [];

  return {
    take(signal, options = {}) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return Promise.resolve();
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const queue = options.again ? again : fresh;
      function enter() {
        signal.removeEventListener("abort", leave);
        resolve();
      }
      function leave() {
        queue.splice(queue.indexOf(enter), 1);
        reject(signal.reason);
      }
      queue.push(enter);
      signal.addEventListener("abort", leave, { once: true });
      return promise;
    },
    occupy() {
      free--;
    },
    release() {
      const next = free < 0 ? undefined : again.shift() ?? fresh.shift();
      if (next) next();
      else free++;
    },
  };
}

/** One run's hold on a slot. */
export interface Hold {
  /** Gives the slot back while `work` is under way, and waits for one again afterwards. */
  without<T>(work: () => Promise<T>): Promise<T>;
  /**
   * The same while the run waits for its subtasks; rejects with a `TooManyWaitError` where it may
   * not.
   */
  whileWaiting<T>(work: () => Promise<T>): Promise<T>;
  release(): void;
}

/**
 * Waits for a slot and holds it. `takePlace` takes the place that the run needs to wait for its
 * subtasks, or throws; it gives what gives that back (`waiting_places.ts`).
 */
export async function holdSlot(
  slots: Slots,
  signal: AbortSignal,
  takePlace: () => () => void = () => () => {},
): Promise<Hold> {
  await slots.take(signal);
  let held = true;
  let place: { waits: number; giveBack: () => void } | undefined;
  let ended = false;
  let waiting = 0;
  let taking: Promise<void> | undefined;

  function letGo() {
    if (held) slots.release();
    held = false;
  }

  /** Takes the one slot of this run again, however many of its waits end before there is one. */
  async function takeAgain(): Promise<void> {
    try {
      await slots.take(signal, { again: true });
    } finally {
      taking = undefined;
    }
    // It may have begun to wait once more meanwhile.
    if (ended || waiting > 0) slots.release();
    else held = true;
  }

  async function without<T>(work: () => Promise<T>): Promise<T> {
    waiting++;
    letGo();
    try {
      return await work();
    } finally {
      // A run that waits for several things at once computes again when the last has come.
      if (--waiting === 0 && !ended) await (taking ??= takeAgain());
    }
  }

  return {
    without,
    async whileWaiting(work) {
      const taken = place ??= { waits: 0, giveBack: takePlace() };
      taken.waits++;
      try {
        return await without(work);
      } finally {
        if (--taken.waits === 0) {
          place = undefined;
          taken.giveBack();
        }
      }
    },
    release() {
      ended = true;
      letGo();
    },
  };
}
