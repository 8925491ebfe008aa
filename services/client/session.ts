/**
 * A user's log-in, as a client holds it: the two tokens, and their renewal. However many calls find
 * at once that the access token is over, it is renewed once; a refresh token may be used again, by
 * this process and by others that share it. Only the hub's word ends a session: that it cannot be
 * reached, or answers with an error of its own, does not.
 * @module
 */
import { refreshAnswer, type userTokens } from "../../shared/contract/token.ts";
import type { z } from "zod";
import { bytesOfBase64 } from "../../shared/payload/base64.ts";
import { ApiError, LoggedOutError, readErrorBody } from "./errors.ts";
import type { Transport } from "./transport.ts";

export type TokenPair = Pick<z.infer<typeof userTokens>, "access_token" | "refresh_token">;

/** Where a session is kept beyond this object: a file, a store of the browser. */
export interface SessionStore {
  /** What is kept now, which another process may have renewed. */
  load(): Promise<TokenPair | undefined>;
  /** `undefined`: the session is over. */
  save(tokens: TokenPair | undefined): Promise<void>;
}

export interface Session {
  /** A token that is good as far as one can tell; `undefined` where nobody is logged in. */
  accessToken(): Promise<string | undefined>;
  /**
   * After the hub has refused this access token: another one. Rejects with a
   * {@linkcode LoggedOutError} when the session is over.
   */
  renewed(refused: string): Promise<string>;
  begin(tokens: TokenPair): Promise<void>;
  /** Forgets the tokens; returns the refresh token, with which the hub is told. */
  end(): Promise<string | undefined>;
}

/** An access token with less than that left is renewed before it is used. */
const MARGIN_MS = 10_000;

export function createSession(
  transport: Transport,
  store: SessionStore = createMemoryStore(),
): Session {
  let current: Promise<TokenPair | undefined> | undefined;
  let renewing: Promise<string> | undefined;

  function tokens(): Promise<TokenPair | undefined> {
    return current ??= store.load();
  }

  async function keep(pair: TokenPair | undefined): Promise<void> {
    current = Promise.resolve(pair);
    await store.save(pair);
  }

  async function renew(refused: string): Promise<string> {
    const stored = await store.load();
    if (stored && stored.access_token !== refused && !isOver(stored.access_token)) {
      current = Promise.resolve(stored);
      return stored.access_token;
    }
    const pair = stored ?? await tokens();
    const request = "POST /token/refresh";
    if (!pair) throw new LoggedOutError(request, 401, { msg: "Nobody is logged in." });
    const response = await transport.send({
      method: "POST",
      path: "/token/refresh",
      headers: { authorization: `Bearer ${pair.refresh_token}` },
      repeatable: true,
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.status === 401 || response.status === 422) {
      // Unless somebody has logged in anew meanwhile.
      const now = await store.load();
      if (now?.refresh_token === pair.refresh_token) await keep(undefined);
      else current = undefined;
      throw new LoggedOutError(request, response.status, readErrorBody(answer));
    }
    if (!response.ok) throw new ApiError(request, response.status, readErrorBody(answer));
    const { access_token, refresh_token } = refreshAnswer.parse(answer);
    await keep({ access_token, refresh_token });
    return access_token;
  }

  async function renewed(refused: string): Promise<string> {
    // Another call has done it, while this one was under way.
    const pair = await tokens();
    if (pair && pair.access_token !== refused) return pair.access_token;
    return await (renewing ??= renew(refused).finally(() => renewing = undefined));
  }

  return {
    renewed,
    async accessToken() {
      const pair = await tokens();
      if (!pair) return undefined;
      return isOver(pair.access_token) ? await renewed(pair.access_token) : pair.access_token;
    },
    begin: keep,
    async end() {
      const pair = await store.load() ?? await tokens();
      await keep(undefined);
      return pair?.refresh_token;
    },
  };
}

export function createMemoryStore(tokens?: TokenPair): SessionStore {
  let kept = tokens;
  return {
    load: () => Promise.resolve(kept),
    save(pair) {
      kept = pair;
      return Promise.resolve();
    },
  };
}

/** Whether a token says of itself that it is over, or soon will be. What cannot be read is good. */
function isOver(token: string): boolean {
  try {
    const payload = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    const padded = payload.padEnd(Math.ceil(payload.length / 4) * 4, "=");
    const { exp } = JSON.parse(new TextDecoder().decode(bytesOfBase64(padded)));
    return typeof exp === "number" && exp * 1000 - MARGIN_MS < Date.now();
  } catch {
    return false;
  }
}
