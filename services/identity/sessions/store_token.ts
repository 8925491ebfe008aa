import { signToken } from "../../../shared/contract/tokens.ts";
import type { IdentityDeps } from "../deps.ts";
import type { Client } from "../store/session.ts";

/**
 * A store asks whose token it was sent while it answers the request that it came with. A node that
 * reads a long list there page by page takes longer than one request.
 */
const LIFETIME_SECONDS = 120;

export interface StoreTokenOptions {
  client: Client;
  /** The session it ends with. */
  sid: string;
  /** The store's address. */
  store_url: string;
}

/**
 * A token with which a user or node shows an algorithm store who they are. The store can ask
 * `POST /token/user/validate` or `/token/node/validate` with it, and do nothing else in their name.
 */
export async function storeToken(
  { keys, now }: Pick<IdentityDeps, "keys" | "now">,
  { client, sid, store_url }: StoreTokenOptions,
): Promise<string> {
  return await signToken(keys.current(), {
    jti: crypto.randomUUID(),
    type: "store",
    client_type: client.type,
    sub: client.id,
    sid,
    aud: store_url,
    lifetimeSeconds: LIFETIME_SECONDS,
  }, now());
}
