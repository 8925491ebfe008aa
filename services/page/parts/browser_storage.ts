/**
 * What the browser keeps for the page over reloads, for all tabs. People may have forbidden that,
 * and there may be no room: then it lasts as long as the tab.
 * @module
 */
import { signal } from "@preact/signals";

const inThisTab = new Map<string, string>();
/** Whether the browser keeps what it is told to; known from the first `keep` on. */
export const isKeeping = signal(true);

export function readKept(name: string): string | undefined {
  const here = inThisTab.get(name);
  if (here !== undefined) return here;
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
    inThisTab.delete(name);
  } catch {
    inThisTab.set(name, value);
    isKeeping.value = false;
  }
}
