/**
 * Places in a JSON value: what stands there, and how it is changed.
 * @module
 */

/** A list or an object of JSON. */
export type Holder = unknown[] | Record<string, unknown>;

export interface Place {
  holder: Holder;
  key: string | number;
}

export function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return isHolder(value) && !Array.isArray(value);
}

/** What stands at a place; `undefined` for nothing. */
export function valueAt({ holder, key }: Place): unknown {
  return Object.hasOwn(holder, key) ? (holder as Record<string | number, unknown>)[key] : undefined;
}

/** Not by an assignment, which a key such as `__proto__` would lead astray. */
export function put({ holder, key }: Place, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Takes a part out of an object; in a list its place stays, with null. */
export function takeOut(place: Place): void {
  if (Array.isArray(place.holder)) put(place, null);
  else delete place.holder[place.key];
}

/** The places in a list or an object; none in anything else. */
export function placesIn(value: unknown): Place[] {
  if (Array.isArray(value)) return value.map((_, key) => ({ holder: value, key }));
  if (!isHolder(value)) return [];
  return Object.keys(value).map((key) => ({ holder: value, key }));
}

/** How many values there are in it: numbers, texts and truth values. */
export function countValues(value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (!isHolder(value)) return 1;
  let count = 0;
  for (const one of Array.isArray(value) ? value : Object.values(value)) count += countValues(one);
  return count;
}

/** Whether it says nothing: what a sum or a mean over nobody is. */
export function isNothing(value: unknown): boolean {
  if (!isHolder(value)) return !value;
  return (Array.isArray(value) ? value : Object.values(value)).every(isNothing);
}
