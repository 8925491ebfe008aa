/**
 * The addresses of screens. They stand behind the `#`, which no server sees: so the page works
 * below any prefix, and a reload finds the screen again.
 * @module
 */
import { computed, signal } from "@preact/signals";

export interface Place {
  /** Between slashes: `["tasks", "12"]`. */
  path: readonly string[];
  query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => hash.value = location.hash);

/** Where the reader is. */
export const place = computed<Place>(() => placeOf(hash.value));

export function placeOf(text: string): Place {
  const [path = "", query = ""] = text.replace(/^#?\/?/, "").split("?", 2);
  const parts = path.split("/").filter((part) => part !== "");
  return { path: parts.map(decoded), query: new URLSearchParams(query) };
}

/** The address of a screen, for a link: `to("tasks", 12)`. */
export function to(...path: (string | number)[]): string {
  return `#/${path.map((part) => encodeURIComponent(part)).join("/")}`;
}

/** The same screen with other filters; empty ones are left out. */
export function withQuery(query: Record<string, string | number | undefined>): string {
  const given = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, String(value)]]
    ),
  );
  const path = to(...place.value.path);
  return given.size > 0 ? `${path}?${given}` : path;
}

/** Goes there, as a link does. With `replace` the way back does not lead here. */
export function go(address: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(null, "", address);
  hash.value = location.hash;
}

/** The parameters of a pattern (`["tasks", ":id"]`) that fits; `undefined` when it does not. */
export function match(
  pattern: readonly string[],
  path: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = path[index]!;
    else if (part !== path[index]) return undefined;
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
