/**
 * Being in: a link's key is exchanged once for a session, of which this page keeps one half and the
 * browser's cookie the other; and what is asked of the agent with both.
 * @module
 */
import { signal } from "@preact/signals";
import type { z } from "zod";
import { takeErrorsFirst } from "../../../page/parts/errors.ts";
import { entered, KEY_IN_LINK, refusal, SESSION_HEADER } from "../contract.ts";

const KEPT = "sextant-owner";

/** `undefined` while it is being found out. */
export const isInside = signal<boolean | undefined>(undefined);

/** What the agent does not do, in its words. */
export class AskError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

takeErrorsFirst((error) => {
  const isOver = error instanceof AskError && error.status === 401;
  if (isOver) forget();
  return isOver;
});

/** Takes the key out of the address, if there is one, and uses it. */
export async function begin(): Promise<void> {
  const key = location.hash.startsWith(`#${KEY_IN_LINK}`)
    ? location.hash.slice(1 + KEY_IN_LINK.length)
    : undefined;
  if (key !== undefined) {
    // Out of sight and out of the history before anything else is done.
    history.replaceState(null, "", location.pathname);
    dispatchEvent(new HashChangeEvent("hashchange"));
    // A link that was used may be opened again by who is in already.
    await enter(key).catch(() => {});
  }
  isInside.value = localStorage.getItem(KEPT) !== null;
}

async function enter(key: string): Promise<void> {
  const { session } = await ask("enter", entered, { body: { key } });
  localStorage.setItem(KEPT, session);
}

export async function leave(): Promise<void> {
  await send("leave", { body: {} }).catch(() => {});
  forget();
}

function forget(): void {
  localStorage.removeItem(KEPT);
  isInside.value = false;
}

export interface AskOptions {
  /** What is sent; without it something is only asked for. */
  body?: unknown;
  signal?: AbortSignal;
}

/** Asks the agent. Throws an {@linkcode AskError} with what it says against it. */
export async function ask<Schema extends z.ZodType>(
  path: string,
  answer: Schema,
  options: AskOptions = {},
): Promise<z.output<Schema>> {
  const response = await send(path, options);
  return answer.parse(await response.json());
}

async function send(path: string, { body, signal }: AskOptions): Promise<Response> {
  const response = await fetch(`api/${path}`, {
    method: body === undefined ? "GET" : "POST",
    credentials: "same-origin",
    headers: {
      [SESSION_HEADER]: localStorage.getItem(KEPT) ?? "none",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  });
  if (response.ok) return response;
  const said = refusal.safeParse(await response.json().catch(() => undefined)).data;
  throw new AskError(response.status, said?.msg ?? response.statusText);
}

// The link of an open page, opened anew in the same tab, loads nothing.
addEventListener("hashchange", () => {
  if (location.hash.startsWith(`#${KEY_IN_LINK}`)) void begin();
});
// Another tab has come in, or has left.
addEventListener("storage", ({ key }) => {
  if (key === KEPT) isInside.value = localStorage.getItem(KEPT) !== null;
});
