/**
 * In which order a service's messages reach the broker: those of one noun (`event.<noun>.<verb>`)
 * as they were committed by this process, also when one of them could not be published at once.
 *
 * Once a message failed, or the connection was lost before it was acknowledged, the later ones of
 * its noun wait in the outbox with it, and the sweep publishes them when the oldest of them is
 * there. A message that the broker never takes holds up the others of its noun for a minute, and no
 * longer: they go past it, it is tried again with each sweep, and the service's health tells of it
 * until an operator has looked.
 *
 * Not promised: the order between nouns, or of what different replicas commit; or that what was
 * sent in the moment before a refusal came waits for it. So whoever applies a state from an event
 * must see by the event which one is newer, or ask.
 * @module
 */
import type { Db } from "./db.ts";

/** The table every service with an outbox creates in its first migration. */
export interface OutboxRow {
  id: string;
  subject: string;
  payload: string;
}

/** Resolves when the broker has acknowledged the message, or never could. */
export type Publish = (row: OutboxRow) => Promise<void>;

export interface OutboxOrder {
  /**
   * Publishes what was just committed. `false` when it stays in the outbox, because something
   * before it does. What it throws is why it stays itself.
   */
  publishNew(row: OutboxRow): Promise<boolean>;
  /** To be called when the connection is lost: what is on its way may be, too. */
  lost(): void;
  /**
   * Publishes what is left over; returns how many. Throws at the end when something could not be.
   */
  sweep(): Promise<number>;
}

export interface OutboxOrderOptions {
  db: Db;
  publish: Publish;
  /** How long a message that is refused holds up the others of its noun. */
  holdMs?: number;
  clock?: () => number;
}

/**
 * How old a row is before the sweep takes it: younger ones are on their way from their own
 * transaction.
 */
const SETTLE_SECONDS = 2;
/** So many of a noun in one sweep. */
export const SWEEP_BATCH = 200;

export function createOutboxOrder(
  { db, publish, holdMs = 60_000, clock = () => performance.now() }: OutboxOrderOptions,
): OutboxOrder {
  /** Nouns of which something waits in the outbox for the sweep, with how often that was so. */
  const behind = new Map<string, number>();
  /** How many messages of each noun are on their way. */
  const onTheirWay = new Map<string, number>();
  /** When a row was first refused in a sweep, by its id. */
  const refused = new Map<string, number>();

  function count(noun: string, change: number): void {
    const now = (onTheirWay.get(noun) ?? 0) + change;
    if (now === 0) onTheirWay.delete(noun);
    else onTheirWay.set(noun, now);
  }

  function leave(noun: string): void {
    behind.set(noun, (behind.get(noun) ?? 0) + 1);
  }

  function mayBePassed({ id }: OutboxRow): boolean {
    const since = refused.get(id);
    if (since === undefined) refused.set(id, clock());
    return since !== undefined && clock() - since >= holdMs;
  }

  /**
   * Publishes rows of one noun, of which there are no more if these are fewer than `most`: the
   * oldest by itself, and the others only if that is gone or may be passed.
   */
  async function publishInTurn(rows: OutboxRow[], most: number): Promise<Turn> {
    const gone: string[] = [];
    let error: unknown;
    let holds = false;
    async function attempt(row: OutboxRow): Promise<void> {
      try {
        await publish(row);
        refused.delete(row.id);
        gone.push(row.id);
      } catch (cause) {
        error ??= cause;
        if (!mayBePassed(row)) holds = true;
      }
    }
    let next = 0;
    while (next < rows.length && !holds && gone.length === 0) await attempt(rows[next++]!);
    if (!holds) await Promise.all(rows.slice(next).map(attempt));
    return { gone, error, isThrough: !holds && rows.length < most };
  }

  return {
    async publishNew(row) {
      const noun = nounOf(row);
      if (behind.has(noun)) {
        leave(noun);
        return false;
      }
      count(noun, 1);
      try {
        await publish(row);
        return true;
      } catch (error) {
        leave(noun);
        throw error;
      } finally {
        count(noun, -1);
      }
    },
    lost() {
      for (const noun of onTheirWay.keys()) leave(noun);
    },
    async sweep() {
      const before = new Map(behind);
      const most = SWEEP_BATCH + refused.size;
      const rows = await leftOver(db, [...before.keys()], most);
      // Those that are not there any more, another replica has published.
      const there = new Set(rows.map(({ id }) => id));
      for (const id of refused.keys()) if (!there.has(id)) refused.delete(id);
      const byNoun = Map.groupBy(rows, nounOf);
      const turns = await Promise.all(
        [...byNoun].map(async ([noun, some]) => [noun, await publishInTurn(some, most)] as const),
      );
      const gone = turns.flatMap(([, { gone }]) => gone);
      if (gone.length > 0) await removeRows(db, gone);
      const stuck = new Set(turns.filter(([, turn]) => !turn.isThrough).map(([noun]) => noun));
      for (const noun of stuck) if (!behind.has(noun)) leave(noun);
      for (const [noun, times] of before) {
        if (!stuck.has(noun) && behind.get(noun) === times) behind.delete(noun);
      }
      const failed = turns.find(([, { error }]) => error !== undefined);
      if (failed) throw failed[1].error;
      return gone.length;
    },
  };
}

interface Turn {
  /** Ids of what was published. */
  gone: string[];
  error: unknown;
  /** Whether nothing is known to be left that must go before what is committed next. */
  isThrough: boolean;
}

function nounOf({ subject }: Pick<OutboxRow, "subject">): string {
  return subject.split(".")[1] ?? "";
}

/** The oldest rows of each noun; the youngest, too, of the nouns in which something waits. */
async function leftOver(db: Db, behind: string[], most: number): Promise<OutboxRow[]> {
  return await db<OutboxRow[]>`
    select id, subject, payload from (
      select id, subject, payload,
        row_number() over (partition by split_part(subject, '.', 2) order by id) as place
      from outbox
      where created_at < now() - make_interval(secs => ${SETTLE_SECONDS})
        or split_part(subject, '.', 2) = any(${behind})
    ) as waiting
    where place <= ${most} order by id`;
}

export async function removeRows(db: Db, ids: string[]): Promise<void> {
  // A row that another replica holds is being removed by it.
  await db`
    delete from outbox where id in (
      select id from outbox where id = any(${ids}) for update skip locked)`;
}
