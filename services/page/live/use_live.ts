import { useEffect, useRef, useState } from "preact/hooks";
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import type { Asked } from "../parts/loading.tsx";
import { isSessionEnd } from "../session/session.ts";
import { onNews } from "./feed.ts";
import { createMirror, type Mirror, type MirrorOptions } from "./mirror.ts";

export interface LiveOptions<Value>
  extends Pick<MirrorOptions<Value, WatchedEvent>, "ask" | "fold" | "isStale" | "pauseMs"> {
  /**
   * When one of these changes it is asked for anew; what is there stays until the answer has come.
   */
  inputs: readonly unknown[];
}

/** What the hub has, for {@linkcode Show}, and up to date as long as the screen is there. */
export function useLive<Value>(
  { ask, fold, isStale, pauseMs, inputs }: LiveOptions<Value>,
): Omit<Asked<Value>, "set"> {
  const [value, setValue] = useState<Value>();
  const [error, setError] = useState<unknown>();
  const mirror = useRef<Mirror<WatchedEvent>>(undefined);
  useEffect(() => {
    const own = mirror.current = createMirror<Value, WatchedEvent>({
      ask,
      fold,
      ...(isStale ? { isStale } : {}),
      ...(pauseMs === undefined ? {} : { pauseMs }),
      onValue(next) {
        setValue(() => next);
        setError(undefined);
      },
      onError(reason) {
        if (!isSessionEnd(reason)) setError(reason);
      },
    });
    const unheard = onNews(own.hear);
    return () => {
      unheard();
      own.stop();
    };
  }, inputs as unknown[]);
  return {
    value,
    error,
    again: () => mirror.current?.again(),
  };
}
