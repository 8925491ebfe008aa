/**
 * Log-ins of users and nodes, and their access and refresh tokens.
 *
 * A refresh token may be used again, as long as it has not expired and its session goes on. v6's
 * client refreshes after every call that fails, and its programs share one token among processes
 * and notebooks: to end a session on the second use of a token, as rotation would have it, ends the
 * work of those who did nothing wrong. What is done instead against one that was stolen: a session
 * ends at once for all its tokens (log-out, another password, removal), however many they are; it
 * ends at a greatest age, however often they are refreshed; and one that comes from an address it
 * has not come from before is recorded in the audit record, with the address.
 * @module
 */
import { recordDone } from "../../../shared/storage/audit.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { Tokens } from "../../../shared/contract/token.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import {
  type ClientClaims,
  isOfClient,
  signToken,
  type TokenType,
  verifyToken,
} from "../../../shared/contract/tokens.ts";
import type { KeyRing } from "./signing_keys.ts";
import { roleNamesOfUser, userById } from "../store/user.ts";
import {
  type Client,
  insertSession,
  liveSession,
  lockSession,
  prolongSession,
  type SessionRow,
} from "../store/session.ts";

export type { Client };

/** Where a request came from, as far as it is known. */
export interface From {
  address?: string | undefined;
}

export interface Beginning extends From {
  /** Of a node: of the API key it showed. */
  keyGeneration?: number;
}

export interface Sessions {
  /**
   * The answer to a log-in (contract §2.1): a new session. In the transaction that let the client
   * in.
   */
  begin(tx: Tx, client: Client, beginning?: Beginning): Promise<Tokens>;
  /** The answer to a refresh. Throws 401 when the session has ended. */
  refresh(refreshToken: string, from?: From): Promise<Tokens>;
  /**
   * Throws 401 unless the session of this access token goes on, whoever holds it is there still,
   * and a node has the key that it got it for; of which it returns the generation.
   */
  demandCurrent(accessToken: string): Promise<{ key_generation: number }>;
  /** Whose session a refresh token is of. Throws 401 or 422 for one that is not good. */
  ofToken(refreshToken: string): Promise<{ client: Client; id: string }>;
}

export interface SessionsOptions {
  db: Db;
  keys: KeyRing;
  ask: Ask;
  now: () => Date;
  accessSeconds: number;
  refreshSeconds: number;
  /** A session ends so long after its log-in, and so does every token of it. */
  sessionSeconds: number;
}

/** Addresses of a session that are remembered. */
const NETWORKS = 20;

export function createSessions(
  { db, keys, ask, now, accessSeconds, refreshSeconds, sessionSeconds }: SessionsOptions,
): Sessions {
  async function issue(
    tx: Tx,
    { type, id }: Client,
    { sid, at, begunAt = at }: { sid: string; at: Date; begunAt?: Date },
  ): Promise<Tokens> {
    const roles = type === "user" ? await roleNamesOfUser(tx, id) : [];
    const key = keys.current();
    const left = Math.floor((endOf(begunAt).getTime() - at.getTime()) / 1000);
    const sign = (type: "access" | "refresh", seconds: number, roles: string[]) => {
      const own = { jti: crypto.randomUUID(), type, roles };
      return signToken(key, { ...own, ...base, lifetimeSeconds: Math.min(seconds, left) }, at);
    };
    const base = { client_type: type, sub: id, sid };
    const [access_token, refresh_token] = await Promise.all([
      sign("access", accessSeconds, roles),
      sign("refresh", refreshSeconds, []),
    ]);
    const own = type === "user" ? { user_url: `/api/user/${id}` } : { node_url: `/api/node/${id}` };
    return { access_token, refresh_token, refresh_url: "/api/token/refresh", ...own };
  }

  const endOf = (begunAt: Date) => new Date(begunAt.getTime() + sessionSeconds * 1000);
  const expiry = (at: Date, begunAt: Date) =>
    new Date(Math.min(at.getTime() + refreshSeconds * 1000, endOf(begunAt).getTime()));

  async function claimsOf(token: string, type: TokenType): Promise<ClientClaims> {
    const claims = await verifyToken(token, keys.publicKey, { type, now: now() });
    if (isOfClient(claims)) return claims;
    throw new SextantError("unauthenticated", "A container has no session.");
  }

  /** Throws unless the client is there; of a node returns the generation of its key. */
  async function requireClient({ type, id }: Client): Promise<number | null> {
    if (type === "user") {
      if (await userById(db, id)) return null;
    } else {
      const node = await ask("collaboration", "node", { id, seen: true });
      if (node) return node.key_generation;
    }
    throw new SextantError("unauthenticated", `The ${type} does not exist any more.`);
  }

  return {
    async begin(tx, client, { keyGeneration = null, address } = {}) {
      const at = now();
      const sid = crypto.randomUUID();
      await insertSession(tx, {
        id: sid,
        client_type: client.type,
        client_id: client.id,
        key_generation: keyGeneration,
        begun_at: at,
        expires_at: expiry(at, at),
        networks: address === undefined ? [] : [address],
      });
      return await issue(tx, client, { sid, at });
    },

    async refresh(refreshToken, { address } = {}) {
      const { sid, ...claims } = await claimsOf(refreshToken, "refresh");
      const client = clientOf(claims);
      const generation = await requireClient(client);
      const at = now();
      return await db.begin(async (tx) => {
        const session = requireLive(await lockSession(tx, sid, client, at), generation);
        const { networks, begun_at: begunAt } = session;
        // It may have begun where log-ins lasted longer.
        if (endOf(begunAt) <= at) throw ended();
        const isNew = address !== undefined && !networks.includes(address);
        await prolongSession(tx, sid, {
          expires_at: expiry(at, begunAt),
          networks: isNew ? [...networks, address].slice(-NETWORKS) : networks,
        });
        if (isNew) {
          const object = { noun: client.type, id: client.id };
          await recordDone(tx, `${client.type}.elsewhere`, object, { address });
        }
        return await issue(tx, client, { sid, at, begunAt });
      });
    },

    async demandCurrent(accessToken) {
      const { sid, ...claims } = await claimsOf(accessToken, "access");
      const client = clientOf(claims);
      const generation = await requireClient(client);
      const session = requireLive(await liveSession(db, sid, client, now()), generation);
      return { key_generation: session.key_generation ?? 0 };
    },

    async ofToken(refreshToken) {
      const { sid, ...claims } = await claimsOf(refreshToken, "refresh");
      return { client: clientOf(claims), id: sid };
    },
  };
}

function requireLive(session: SessionRow | undefined, generation: number | null): SessionRow {
  if (!session) throw ended();
  if (session.key_generation === generation) return session;
  throw new SextantError("unauthenticated", "The node has a new API key since; log in with it.");
}

function ended(): SextantError {
  return new SextantError("unauthenticated", "This log-in has ended; log in again.");
}

function clientOf({ client_type, sub }: Pick<ClientClaims, "client_type" | "sub">): Client {
  return { type: client_type, id: sub };
}
