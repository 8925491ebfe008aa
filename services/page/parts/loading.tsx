/**
 * What is asked of the server, as screens show it: not there yet, there, or failed and why.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { onBack } from "./back.ts";
import { isTaken } from "./errors.ts";
import { texts } from "../texts.ts";

export interface Asked<Value> {
  value: Value | undefined;
  error: unknown;
  /** Asks again; what is there stays until the new answer has come. */
  again: () => void;
  /** Puts another value in its place, as after a change that the hub has answered. */
  set: (value: Value) => void;
}

/**
 * Asks when the screen begins, when one of `inputs` changes, and after an error when the server is
 * back; an answer that nobody waits for any more is dropped.
 */
export function useAsked<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly unknown[],
): Asked<Value> {
  const [value, set] = useState<Value>();
  const [error, setError] = useState<unknown>();
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    ask(leaving.signal).then((answer) => {
      if (leaving.signal.aborted) return;
      set(() => answer);
      setError(undefined);
    }, (reason) => {
      if (!leaving.signal.aborted && !isTaken(reason)) setError(reason);
    });
    return () => leaving.abort();
  }, [...inputs, times]);
  const again = useCallback(() => setTimes((before) => before + 1), []);
  useEffect(() => error === undefined ? undefined : onBack(again), [error, again]);
  return { value, error, again, set: (next) => set(() => next) };
}

/** Shows an answer by `children` once it is there. */
export function Show<Value>(
  { asked, children }: {
    asked: Omit<Asked<Value>, "set">;
    children: (value: Value) => ComponentChildren;
  },
) {
  const { value, error, again } = asked;
  return (
    <>
      {error !== undefined && <Failure error={error} again={again} />}
      {value !== undefined ? children(value) : error === undefined && <Loading />}
    </>
  );
}

export function Loading() {
  return <p role="status">{texts.parts.loading}</p>;
}

export function Failure({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>{texts.parts.failed}: {messageFor(error)}</p>
      {again && <button type="button" onClick={again}>{texts.parts.again}</button>}
    </div>
  );
}

/** What people are told of an error. */
export function messageFor(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
