/**
 * The node's log-in at the hub, made when it is needed and again well before it ends.
 * @module
 */
import { z } from "zod";
import { nodeLogInAnswer, type NodeLogInRequest } from "../../../shared/node_protocol/log_in.ts";
import { claimsOf } from "./claims.ts";
import { HubError, WrongKeyError } from "./error.ts";
import type { HubRequest } from "./send.ts";

export interface LoggedIn {
  token: string;
  nodeId: number;
  /** When to log in again, in milliseconds since 1970: well before the token expires. */
  renewAt: number;
}

export interface Session {
  /**
   * The log-in there is, or a new one. Throws a {@linkcode WrongKeyError} when the key is refused.
   */
  current(signal?: AbortSignal): Promise<LoggedIn>;
  /** The hub does not take its token any more. */
  forget(): void;
}

export interface SessionOptions {
  /** Base address, as in `NodeConfig.api`. */
  api: string;
  apiKey: string;
  /** The formats of encrypted payloads that this agent reads. */
  payloadFormats: readonly string[];
  send: (url: string, request: HubRequest) => Promise<unknown>;
  now: () => number;
}

const claims = z.object({ sub: z.number().int(), exp: z.number() });

export function createSession(
  { api, apiKey, payloadFormats, send, now }: SessionOptions,
): Session {
  let session: Promise<LoggedIn> | undefined;

  async function logIn(signal?: AbortSignal): Promise<LoggedIn> {
    try {
      const answer = await send(`${api}/token/node`, {
        method: "POST",
        body: { api_key: apiKey, payload_formats: [...payloadFormats] } satisfies NodeLogInRequest,
        ...(signal ? { signal } : {}),
      });
      const token = nodeLogInAnswer.parse(answer).access_token;
      const { sub, exp } = claimsOf(token, claims);
      const lifetime = exp * 1000 - now();
      return { token, nodeId: sub, renewAt: now() + lifetime - Math.min(600_000, lifetime / 2) };
    } catch (error) {
      if (!(error instanceof HubError) || (error.status !== 401 && error.status !== 400)) {
        throw error;
      }
      throw new WrongKeyError(
        `The hub at ${api} refuses this node's API key: ${error.message} ` +
          "Ask an administrator of the collaboration for a new key and set api_key.",
      );
    }
  }

  return {
    async current(signal) {
      const known = session;
      if (known && (await known).renewAt <= now() && session === known) session = undefined;
      session ??= logIn(signal).catch((error) => {
        session = undefined;
        throw error;
      });
      return await session;
    },
    forget() {
      session = undefined;
    },
  };
}
