/**
 * The SQL of speakers: which process of an agent speaks for a node, and which other one wants to.
 * @module
 */
import type { Db, Tx } from "../../../shared/storage/db.ts";

export interface Speaker {
  /** Made by the process at its start. */
  public_key: string;
  since: Date;
  /** The last other one that was refused, since this one speaks. */
  second_key: string | null;
  second_seen_at: Date | null;
  /** When people were last told of another one. */
  second_told_at: Date | null;
}

export async function speakerOf(db: Db, nodeId: number): Promise<Speaker | undefined> {
  const [row] = await db<Speaker[]>`
    select public_key, since, second_key, second_seen_at, second_told_at
    from node_speaker where node_id = ${nodeId}`;
  return row;
}

/** Makes a process the first that speaks for a node; changes nothing when there is one already. */
export async function addSpeaker(
  db: Db,
  { nodeId, publicKey, at }: { nodeId: number; publicKey: string; at: Date },
): Promise<void> {
  await db`
    insert into node_speaker (node_id, public_key, since) values (${nodeId}, ${publicKey}, ${at})
    on conflict (node_id) do nothing`;
}

/** No process speaks for its node any more: each says a hello before the hub listens to it. */
export async function disownAgents(tx: Tx, at: Date): Promise<void> {
  await tx`
    update node_speaker set public_key = '', since = ${at}, second_key = null,
      second_address = null, second_seen_at = null, second_told_at = null`;
}

/** Puts a process in the place of `before`; false when that does not speak any more. */
export async function replaceSpeaker(
  db: Db,
  { nodeId, before, publicKey, at }: {
    nodeId: number;
    before: string;
    publicKey: string;
    at: Date;
  },
): Promise<boolean> {
  const rows = await db`
    update node_speaker set public_key = ${publicKey}, since = ${at}, second_key = null,
      second_address = null, second_seen_at = null, second_told_at = null
    where node_id = ${nodeId} and public_key = ${before} returning node_id`;
  return rows.length > 0;
}

/** Writes down that another process than the one that speaks was refused. */
export async function noteSecond(
  db: Db,
  { nodeId, speaker, second, at, told }: {
    nodeId: number;
    speaker: string;
    second: { public_key: string; address: string };
    at: Date;
    /** Whether people are told of it now. */
    told: boolean;
  },
): Promise<void> {
  await db`
    update node_speaker set second_key = ${second.public_key}, second_address = ${second.address},
      second_seen_at = ${at}, second_told_at = case when ${told} then ${at} else second_told_at end
    where node_id = ${nodeId} and public_key = ${speaker}`;
}
