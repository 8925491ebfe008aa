/**
 * Events folded into frames: whatever comes between two drawings is handed on together.
 * @module
 */
import type { News } from "./mirror.ts";

export interface Frames<Event> {
  add(event: Event): void;
  lookAfresh(): void;
  /** The hub is back, and nothing was missed. */
  sayBack(): void;
}

/** A hidden tab draws nothing, and has to keep up all the same. */
const HIDDEN_MS = 1000;
/** What is more than this between two drawings is cheaper to ask for. */
const MOST = 20_000;

/** `hand` is called at most once a frame. */
export function createFrames<Event>(
  hand: (news: News<Event>) => void,
  nextFrame: (then: () => void) => void = browserFrame,
): Frames<Event> {
  let events: Event[] = [];
  let afresh = false;
  let isBack = false;
  let isAwaited = false;

  function flush(): void {
    const news = { events, afresh, ...(isBack ? { isBack } : {}) };
    events = [];
    afresh = false;
    isBack = false;
    isAwaited = false;
    hand(news);
  }

  function wake(): void {
    if (isAwaited) return;
    isAwaited = true;
    nextFrame(flush);
  }

  return {
    add(event) {
      if (events.length >= MOST) {
        events = [];
        afresh = true;
      }
      events.push(event);
      wake();
    },
    lookAfresh() {
      afresh = true;
      wake();
    },
    sayBack() {
      isBack = true;
      wake();
    },
  };
}

function browserFrame(then: () => void): void {
  function once(): void {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    then();
  }
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, HIDDEN_MS);
}
