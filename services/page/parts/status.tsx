/**
 * The state of a task or of a result: a sign, a word and a colour.
 * @module
 */
import { isFailed, isFinal } from "../../../shared/node_protocol/status.ts";
import { texts } from "../texts.ts";

export type Tone = "good" | "bad" | "warn" | "running" | "waiting";

/** How a status of the API looks. */
export function toneOf(status: string): Tone {
  if (status === "completed") return "good";
  if (isFailed(status)) return status === "killed by user" ? "warn" : "bad";
  return status === "active" || status === "initializing" ? "running" : "waiting";
}

export function isOver(status: string): boolean {
  return isFinal(status);
}

export function wordFor(status: string): string {
  return texts.status[status] ?? status;
}

export function StatusMark({ status }: { status: string }) {
  const tone = toneOf(status);
  return (
    <span class={`status ${tone}`}>
      <Sign tone={tone} />
      {wordFor(status)}
    </span>
  );
}

/** Told apart by its form alone: a tick, a cross, a bar, a ring half full, an empty ring. */
export function Sign({ tone }: { tone: Tone }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
      {tone === "good" && <path d="M2.5 8.5 6.5 12.5 13.5 4" />}
      {tone === "bad" && <path d="M3.5 3.5 12.5 12.5 M12.5 3.5 3.5 12.5" />}
      {tone === "warn" && <path d="M4 8 12 8" stroke-width="3" />}
      {tone === "waiting" && <circle cx="8" cy="8" r="5.5" />}
      {tone === "running" && (
        <>
          <circle cx="8" cy="8" r="5.5" />
          <path d="M8 2.5 A5.5 5.5 0 0 1 8 13.5 Z" fill="currentColor" />
        </>
      )}
    </svg>
  );
}
