/**
 * Access and refresh tokens of users and nodes. Refresh tokens rotate: each use spends one and
 * gives the next.
 * @module
 */
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { Tokens } from "../../../shared/contract/token.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { type Claims, signToken, verifyToken } from "../../../shared/contract/tokens.ts";
import type { KeyRing } from "./signing_keys.ts";
import { roleNamesOfUser, userById } from "../store/user.ts";
import { endSession, insertRefreshToken, spendRefreshToken } from "../store/session.ts";

/**
 * Seconds in which a spent refresh token may be used again: v6's client repeats a failed request,
 * and an answer can get lost.
 */
const GRACE_SECONDS = 60;

export interface Client {
  type: "user" | "node";
  id: number;
}

export interface Sessions {
  /**
   * The answer to a log-in (contract §2.1): the beginning of a chain. In the transaction that let
   * the client in.
   */
  begin(tx: Tx, client: Client): Promise<Tokens>;
  /** The answer to a refresh. Throws 401 for a token that was revoked or used before. */
  refresh(refreshToken: string): Promise<Tokens>;
  /**
   * Throws 401 unless whoever holds this access token is there still, and a node has the key that
   * it got it for.
   */
  demandCurrent(accessToken: string): Promise<void>;
  /** Revokes a refresh token and all that descend from the same log-in; returns whose they were. */
  end(refreshToken: string): Promise<Client>;
}

export interface SessionsOptions {
  db: Db;
  keys: KeyRing;
  ask: Ask;
  now: () => Date;
  accessSeconds: number;
  refreshSeconds: number;
}

export function createSessions(
  { db, keys, ask, now, accessSeconds, refreshSeconds }: SessionsOptions,
): Sessions {
  async function issue(
    tx: Tx,
    { type, id }: Client,
    { chain, at }: { chain: string; at: Date },
  ): Promise<Tokens> {
    const jti = crypto.randomUUID();
    const access_jti = crypto.randomUUID();
    const roles = type === "user" ? await roleNamesOfUser(tx, id) : [];
    const expires_at = new Date(at.getTime() + refreshSeconds * 1000);
    await insertRefreshToken(tx, {
      jti,
      chain,
      client_type: type,
      client_id: id,
      access_jti,
      expires_at,
    });
    const key = keys.current();
    const base = { client_type: type, sub: id };
    const [access_token, refresh_token] = await Promise.all([
      signToken(key, {
        ...base,
        jti: access_jti,
        type: "access",
        roles,
        lifetimeSeconds: accessSeconds,
      }, at),
      signToken(key, { ...base, jti, type: "refresh", lifetimeSeconds: refreshSeconds }, at),
    ]);
    const pair = { access_token, refresh_token, refresh_url: "/api/token/refresh" };
    return type === "user"
      ? { ...pair, user_url: `/api/user/${id}` }
      : { ...pair, node_url: `/api/node/${id}` };
  }

  function claimsOf(token: string, type: "access" | "refresh" = "refresh"): Promise<Claims> {
    return verifyToken(token, keys.publicKey, { type, now: now() });
  }

  /** Containers have no refresh tokens, and nothing of theirs comes here. */
  function clientOf({ client_type, sub }: Claims): Client {
    return { type: client_type as Client["type"], id: sub as number };
  }

  /**
   * Throws unless the client is there still, and a node has the key that it had when it was given
   * this token.
   */
  async function requireClient({ type, id }: Client, { iat }: Claims): Promise<void> {
    if (type === "user" && await userById(db, id)) return;
    const node = type === "node" ? await ask("collaboration", "node", { id, seen: true }) : null;
    if (!node) throw new SextantError("unauthenticated", `The ${type} does not exist any more.`);
    if (iat >= (node.tokens_since ?? 0)) return;
    throw new SextantError("unauthenticated", "The node has a new API key since; log in with it.");
  }

  return {
    begin: (tx, client) => issue(tx, client, { chain: crypto.randomUUID(), at: now() }),

    async refresh(refreshToken) {
      const claims = await claimsOf(refreshToken);
      const { jti } = claims;
      const client = clientOf(claims);
      // Before the client is looked at: a node that is given a new key meanwhile must not get a
      // token from after that.
      const at = now();
      await requireClient(client, claims);
      const tokens = await db.begin(async (tx) => {
        const chain = await spendRefreshToken(tx, { jti, at, graceSeconds: GRACE_SECONDS });
        if (chain === undefined || chain === "reused") return { refused: chain ?? "revoked" };
        return await issue(tx, client, { chain, at });
      });
      if (!("refused" in tokens)) return tokens;
      throw new SextantError(
        "unauthenticated",
        tokens.refused === "reused"
          ? "The refresh token was used before: for safety this log-in has ended. Log in again."
          : "The refresh token was revoked; log in again.",
      );
    },

    async demandCurrent(accessToken) {
      const claims = await claimsOf(accessToken, "access");
      await requireClient(clientOf(claims), claims);
    },

    async end(refreshToken) {
      const claims = await claimsOf(refreshToken);
      await endSession(db, claims.jti);
      return clientOf(claims);
    },
  };
}
