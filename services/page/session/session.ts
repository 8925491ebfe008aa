/**
 * Who is logged in, and the client by which everything is asked. One log-in is shared by all tabs:
 * when one ends it, the others show it.
 * @module
 */
import { computed, effect, signal } from "@preact/signals";
import {
  createClient,
  createMemoryStore,
  ForbiddenError,
  LoggedOutError,
} from "../../client/mod.ts";
import { createSeenKeys } from "../keys/seen_keys.ts";
import { takeErrorsFirst } from "../parts/errors.ts";
import { fetchWithCookie, HUB_URL, kept } from "./tokens.ts";

export interface Me {
  id: number;
  username: string;
  organizationId: number;
  /** Names of rules, as `task:CREATE:COLLABORATION`: what one may do. */
  rules: ReadonlySet<string>;
}

/** `undefined`: nobody is. `"unknown"`: it is being found out. */
export const me = signal<Me | "unknown" | undefined>("unknown");
/** Their id: what begins and ends with a log-in goes on when only the rules become others. */
const whoIsIn = computed(() => typeof me.value === "object" ? me.value.id : undefined);
/** Whether the rules became others while the page was in use, and nobody has gone on since. */
export const areRulesNew = signal(false);
/** Whether a log-in ended while the page was in use. */
export const wasEnded = signal(false);

const store = createMemoryStore();
export const seenKeys = createSeenKeys({ hub: HUB_URL, user: whoIsIn });
export const client = createClient({
  url: HUB_URL,
  fetch: fetchWithCookie,
  session: store,
  keys: seenKeys.store,
  onKeyChange: seenKeys.tell,
});

const otherTabs = new BroadcastChannel("sextant-session");
otherTabs.onmessage = ({ data }) => {
  if (data === "logged out") void forget();
  else if (data === "logged in" && me.value === undefined) void begin();
};

/** Goes on with the log-in that the cookie holds, if there is one. Call once, at the start. */
export async function begin(): Promise<void> {
  try {
    const tokens = await kept();
    if (!tokens) {
      me.value = undefined;
      return;
    }
    await store.save(tokens);
    await readMe();
  } catch {
    me.value = undefined;
  }
}

/** After `client.logIn()` has let somebody in. */
export async function entered(): Promise<void> {
  await readMe();
  wasEnded.value = false;
  otherTabs.postMessage("logged in");
}

export async function logOut(): Promise<void> {
  await client.logOut().catch(() => {});
  otherTabs.postMessage("logged out");
  await forget();
}

/**
 * What to do with an error that nobody else shows: the end of the session leads to the log-in. What
 * is forbidden is shown by whoever asked; it says that the rules may be others by now.
 */
export function isSessionEnd(error: unknown): boolean {
  if (error instanceof ForbiddenError) void readRules();
  if (!(error instanceof LoggedOutError)) return false;
  if (me.value !== undefined) {
    wasEnded.value = true;
    void forget();
  }
  return true;
}

takeErrorsFirst(isSessionEnd);

/** Whether one may do something, in any scope or in the one that is named. */
export function may(operation: string, scope?: string): boolean {
  const who = me.value;
  if (who === undefined || who === "unknown") return false;
  for (const rule of who.rules) {
    if (scope === undefined ? rule.startsWith(`${operation}:`) : rule === `${operation}:${scope}`) {
      return true;
    }
  }
  return false;
}

async function forget(): Promise<void> {
  await store.save(undefined);
  me.value = undefined;
}

async function readMe(): Promise<void> {
  const { user_id, username, organization_id } = await client.account.whoAmI();
  const rules = await rulesOf(user_id);
  me.value = { id: user_id, username, organizationId: organization_id, rules };
}

async function rulesOf(user_id: number): Promise<Set<string>> {
  const rules = await client.rules.list({ user_id }).all();
  return new Set(rules.map(({ name, operation, scope }) => `${name}:${operation}:${scope}`));
}

/** A screen whose questions are all forbidden asks once for the rules. */
const RULES_PAUSE_MS = 5000;
let rulesReadAt = -Infinity;

/** Looks whether one may do other things than before. */
async function readRules(): Promise<void> {
  const before = me.value;
  if (typeof before !== "object" || performance.now() < rulesReadAt + RULES_PAUSE_MS) return;
  rulesReadAt = performance.now();
  try {
    const rules = await rulesOf(before.id);
    const now = me.value;
    const isSame = rules.symmetricDifference(before.rules).size === 0;
    if (isSame || typeof now !== "object" || now.id !== before.id) return;
    me.value = { ...now, rules };
    areRulesNew.value = true;
  } catch (error) {
    if (error instanceof LoggedOutError) isSessionEnd(error);
  }
}

// Whoever comes back to the tab may have been away for long.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void readRules();
});
addEventListener("hashchange", () => areRulesNew.value = false);

/** For what begins with a log-in and ends with it, as the live feed. */
export function whileLoggedIn(run: (signal: AbortSignal) => void): void {
  effect(() => {
    if (whoIsIn.value === undefined) return;
    const ending = new AbortController();
    run(ending.signal);
    return () => ending.abort();
  });
}
