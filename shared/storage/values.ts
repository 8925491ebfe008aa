/**
 * How the values of an answer look in JavaScript: what `pg` makes of them, with these exceptions.
 * @module
 */
// @ts-types="./pg.d.ts"
import pg from "pg";

type Parse = (text: string) => unknown;

const OID = { text_array: 1009, date: 1082, timestamp: 1114, timestamptz: 1184 } as const;
const byDefault = (oid: number): Parse => pg.types.getTypeParser(oid, "text");

/** Whole times in one form. `pg` reads those without a zone as local ones. */
const parseTime: Parse = (text) => new Date(text);
const parseTextArray = byDefault(OID.text_array) as (text: string) => (string | null)[];
const parseTimeArray: Parse = (text) =>
  parseTextArray(text).map((one) => one === null ? null : new Date(one));
/** Objects of the driver's own, or numbers that are not exact, would come instead. */
const asText: Parse = (text) => text;

const PARSERS = new Map<number, Parse>([
  [OID.date, parseTime],
  [OID.timestamp, parseTime],
  [OID.timestamptz, parseTime],
  [1182, parseTimeArray], // date[]
  [1115, parseTimeArray], // timestamp[]
  [1185, parseTimeArray], // timestamptz[]
  [1186, asText], // interval
  [600, asText], // point
  [718, asText], // circle
  [1187, parseTextArray], // interval[]
  [1017, parseTextArray], // point[]
  [1231, parseTextArray], // numeric[]
  [1003, parseTextArray], // name[]
]);

/**
 * What reads values of the type with this oid. Bigints and decimals are text: they may not fit a
 * number.
 */
export function getTypeParser(oid: number): Parse {
  return PARSERS.get(oid) ?? byDefault(oid);
}
