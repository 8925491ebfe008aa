/**
 * Small wordings for people.
 * @module
 */

const NUMBER = new Intl.NumberFormat("en");

/** `1234567` as `1,234,567`. */
export function grouped(count: number): string {
  return NUMBER.format(count);
}

/** `{users: 3, roles: 1, nodes: 0}` as `["3 users", "1 role"]`. */
export function counted(counts: Record<string, unknown>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => Number(count) > 0)
    .map(([things, count]) => {
      const name = things.replaceAll("_", " ");
      return `${grouped(Number(count))} ${
        Number(count) === 1 ? name.replace(/ies$/, "y").replace(/s$/, "") : name
      }`;
    });
}

/** `1 message waits`, `3 messages wait`, `no messages wait`. */
export function waiting(things: string, count: number): string {
  const what = counted({ [things]: count })[0] ?? `no ${things}`;
  return `${what} ${count === 1 ? "waits" : "wait"}`;
}

/** `["a", "b", "c"]` as `a, b and c`. */
export function listed(parts: string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** A value in a few words, for a message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "that date";
  if (typeof value === "object" && value !== null) {
    return `a ${value.constructor?.name ?? "object"}`;
  }
  if (typeof value === "function") return "a function";
  return String(value);
}
