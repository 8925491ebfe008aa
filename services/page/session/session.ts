/**
 * Who is logged in, and the client by which everything is asked. One log-in is shared by all tabs:
 * when one ends it, the others show it.
 * @module
 */
import { effect, signal } from "@preact/signals";
import { createClient, createMemoryStore, LoggedOutError } from "../../client/mod.ts";
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
/** Whether a log-in ended while the page was in use. */
export const wasEnded = signal(false);

const store = createMemoryStore();
export const client = createClient({ url: HUB_URL, fetch: fetchWithCookie, session: store });

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

/** What to do with an error that nobody else shows: the end of the session leads to the log-in. */
export function isSessionEnd(error: unknown): boolean {
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
  const rules = new Set(
    (await client.rules.list({ user_id }).all())
      .map(({ name, operation, scope }) => `${name}:${operation}:${scope}`),
  );
  me.value = { id: user_id, username, organizationId: organization_id, rules };
}

/** For what begins with a log-in and ends with it, as the live feed. */
export function whileLoggedIn(run: (signal: AbortSignal) => void): void {
  effect(() => {
    if (me.value === undefined || me.value === "unknown") return;
    const ending = new AbortController();
    run(ending.signal);
    return () => ending.abort();
  });
}
