/**
 * The SQL of sessions: the log-ins that tokens come from. A session ends by being deleted; whoever
 * is about to give new tokens of it holds it locked until that is committed.
 * @module
 */
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { Ended } from "./node_key.ts";

export interface Client {
  type: "user" | "node";
  id: number;
}

export interface NewSession {
  id: string;
  client_type: Client["type"];
  client_id: number;
  key_generation: number | null;
  begun_at: Date;
  expires_at: Date;
  networks: string[];
}

export async function insertSession(tx: Tx, session: NewSession): Promise<void> {
  await tx`insert into session ${tx({ ...session })}`;
}

export interface SessionRow {
  /** Of a node: of the key that it logged in with. */
  key_generation: number | null;
  begun_at: Date;
  networks: string[];
}

/** A session that goes on; `undefined` when it has ended, or is somebody else's. */
export async function liveSession(
  tx: Tx,
  id: string,
  { type, id: clientId }: Client,
  at: Date,
): Promise<SessionRow | undefined> {
  const [row] = await tx<SessionRow[]>`
    select key_generation, begun_at, networks from session
    where id = ${id} and client_type = ${type} and client_id = ${clientId} and expires_at > ${at}`;
  return row;
}

/** The same, locked: it cannot end before this transaction does. */
export async function lockSession(
  tx: Tx,
  id: string,
  { type, id: clientId }: Client,
  at: Date,
): Promise<SessionRow | undefined> {
  const [row] = await tx<SessionRow[]>`
    select key_generation, begun_at, networks from session
    where id = ${id} and client_type = ${type} and client_id = ${clientId} and expires_at > ${at}
    for update`;
  return row;
}

export async function prolongSession(
  tx: Tx,
  id: string,
  { expires_at, networks }: { expires_at: Date; networks: string[] },
): Promise<void> {
  await tx`
    update session set expires_at = ${expires_at}, networks = ${networks}
    where id = ${id}`;
}

/** The newest sessions of a user that go on. */
export async function sessionsOfUser(
  db: Db,
  userId: number,
  { at, most }: { at: Date; most: number },
): Promise<(SessionRow & { id: string; expires_at: Date })[]> {
  return await db<(SessionRow & { id: string; expires_at: Date })[]>`
    select id, key_generation, begun_at, expires_at, networks from session
    where client_type = 'user' and client_id = ${userId} and expires_at > ${at}
    order by begun_at desc, id limit ${most}`;
}

/** Ends one session. */
export async function deleteSession(tx: Tx, id: string): Promise<void> {
  await tx`delete from session where id = ${id}`;
}

/** Ends all sessions of these users or nodes, but for one that is `sparing`. */
export async function deleteSessions(
  tx: Tx,
  clientType: Client["type"],
  clientIds: number[],
  { sparing }: { sparing?: string | undefined } = {},
): Promise<void> {
  await tx`
    delete from session where client_type = ${clientType} and client_id = any(${clientIds})
      and id is distinct from ${sparing ?? null}::uuid`;
}

/** Ends all log-ins of users, and what they may recover their accounts with. */
export async function endSessionsOfUsers(tx: Tx): Promise<void> {
  await tx`delete from session where client_type = 'user'`;
  await tx`delete from reset_token`;
}

export async function deleteExpiredSessions(tx: Tx, now: Date): Promise<void> {
  await tx`delete from session where expires_at < ${now}`;
}

/** Ends the sessions that nodes began with API keys that ended. */
export async function deleteNodeSessions(tx: Tx, ended: readonly Ended[]): Promise<void> {
  await tx`
    delete from session
    using jsonb_to_recordset(${tx.json(ended.map((one) => ({ ...one })))})
      as ended(node_id integer, least_generation integer)
    where client_type = 'node' and client_id = ended.node_id
      and (ended.least_generation is null
        or coalesce(session.key_generation, 0) < ended.least_generation)`;
}
