/**
 * Times, in the reader's own zone and manner.
 * @module
 */
import { texts } from "../texts.ts";
import { momentOf } from "./moment.ts";

export { durationText } from "./moment.ts";

const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const WITH_ZONE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** A moment; the zone is in its title. */
export function When({ at }: { at: string | null | undefined }) {
  if (!at) return <>{texts.parts.never}</>;
  const date = new Date(momentOf(at));
  return (
    <time dateTime={date.toISOString()} title={WITH_ZONE.format(date)}>{LONG.format(date)}</time>
  );
}
