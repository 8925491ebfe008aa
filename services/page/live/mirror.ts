/**
 * What the hub has, kept fresh by what happens there: asked for once, then moved by events, and
 * asked for again when events alone do not tell it.
 * @module
 */

/** What happened since the last drawing. */
export interface News<Event> {
  events: readonly Event[];
  /** Whether something may have been missed: what is shown must be asked for again. */
  afresh: boolean;
  /**
   * Whether the hub is back, with nothing missed: what had no answer meanwhile is asked for again.
   */
  isBack?: boolean;
}

export interface MirrorOptions<Value, Event> {
  ask: (signal: AbortSignal) => Promise<Value>;
  /** The value after these events; the same one when they do not concern it. */
  fold: (value: Value, events: readonly Event[]) => Value;
  /** Whether the events tell of something that only the hub can show. */
  isStale?: (value: Value, events: readonly Event[]) => boolean;
  onValue: (value: Value) => void;
  onError: (error: unknown) => void;
  /** The least time between two askings, unless a person wants it. */
  pauseMs?: number;
}

export interface Mirror<Event> {
  hear(news: News<Event>): void;
  /** Asks at once, also when that was done just now. */
  again(): void;
  stop(): void;
}

const PAUSE_MS = 1000;

/** Asks at once, and is up to date until it is stopped. */
export function createMirror<Value, Event>(
  { ask, fold, isStale = () => false, onValue, onError, pauseMs = PAUSE_MS }: MirrorOptions<
    Value,
    Event
  >,
): Mirror<Event> {
  const ending = new AbortController();
  let value: Value | undefined;
  /** Of the question that is under way. */
  let asking: AbortController | undefined;
  /** What happened since then: its answer may be older. */
  let since: Event[] = [];
  let lastAsked = -Infinity;
  let later: ReturnType<typeof setTimeout> | undefined;
  /** Whether the last question had no answer. */
  let hasFailed = false;
  /** Whether the question that is under way may come too early. */
  let askAgain = false;

  async function askNow(): Promise<void> {
    clearTimeout(later);
    later = undefined;
    asking?.abort();
    const own = asking = new AbortController();
    since = [];
    askAgain = false;
    lastAsked = performance.now();
    try {
      const answer = await ask(AbortSignal.any([own.signal, ending.signal]));
      if (asking !== own || ending.signal.aborted) return;
      hasFailed = false;
      show(fold(answer, since));
    } catch (error) {
      if (asking !== own || ending.signal.aborted) return;
      hasFailed = true;
      onError(error);
    }
    asking = undefined;
    since = [];
    if (askAgain) askSoon();
  }

  function askSoon(): void {
    if (ending.signal.aborted) return;
    if (asking) {
      askAgain = true;
      return;
    }
    const wait = lastAsked + pauseMs - performance.now();
    later ??= setTimeout(() => void askNow(), Math.max(0, wait));
  }

  function show(next: Value): void {
    value = next;
    onValue(next);
  }

  void askNow();
  return {
    hear({ events, afresh, isBack = false }) {
      if (ending.signal.aborted) return;
      if (asking) since.push(...events);
      if (value !== undefined && events.length > 0) {
        const next = fold(value, events);
        if (next !== value) show(next);
      }
      const isOld = value !== undefined && isStale(value, events);
      const isUnanswered = isBack && (hasFailed || asking !== undefined);
      if (afresh || isOld || isUnanswered) askSoon();
    },
    again: () => void askNow(),
    stop() {
      clearTimeout(later);
      ending.abort();
    },
  };
}
