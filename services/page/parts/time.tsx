/**
 * Times, in the reader's own zone and manner.
 * @module
 */
import { texts } from "../texts.ts";

const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const WITH_ZONE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** A moment; the zone is in its title. */
export function When({ at }: { at: string | null | undefined }) {
  if (!at) return <>{texts.parts.never}</>;
  const date = new Date(at);
  return <time dateTime={at} title={WITH_ZONE.format(date)}>{LONG.format(date)}</time>;
}

/** `1 h 3 min`, `4.2 s`, of milliseconds. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
