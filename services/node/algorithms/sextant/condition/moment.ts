const MOMENT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}(?:\.\d{1,9})?))?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * The milliseconds of a date as columns hold them: a day, which is its midnight, or a moment; UTC
 * where it says no zone, so that all sites mean the same. Null if the text is none.
 */
export function momentOf(text: string): number | null {
  const [, day, minutes = "00:00", seconds = "00", zone = "Z"] = MOMENT.exec(text) ?? [];
  if (day === undefined) return null;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // The 30th of February would be the 1st of March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return null;
  const offset = zone === "Z"
    ? zone
    : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  const moment = Date.parse(`${day}T${minutes}:${seconds}${offset}`);
  return Number.isNaN(moment) ? null : moment;
}
