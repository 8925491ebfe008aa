/**
 * Counting what the services of this process ask Postgres: at the driver's own door, whoever asks.
 * @module
 */
// @ts-types="../../shared/storage/pg.d.ts"
import pg, { type Client } from "pg";

export interface RoundTrips {
  /** How often a connection with nothing under way was given something to do. */
  count: number;
  /**
   * The text of every statement, in the order in which they were sent; `begin` and `commit` too.
   */
  statements: string[];
}

/** Counts what is asked while `work` runs; `ignored` are statements of nobody's request. */
export async function countRoundTrips(
  work: (counted: RoundTrips) => Promise<void>,
  ignored: RegExp,
): Promise<RoundTrips> {
  const { prototype } = pg.Client;
  const { query } = prototype;
  const counted: RoundTrips = { count: 0, statements: [] };
  const underWay = new Map<Client, number>();
  prototype.query = function countedQuery(this: Client, asked, done) {
    const text = (asked as unknown as { text: string }).text.replace(/\s+/g, " ").trim();
    if (ignored.test(text)) return query.call(this, asked, done);
    const before = underWay.get(this) ?? 0;
    if (before === 0) counted.count++;
    underWay.set(this, before + 1);
    counted.statements.push(text);
    query.call(this, asked, (error, result) => {
      underWay.set(this, underWay.get(this)! - 1);
      done(error, result);
    });
  };
  try {
    await work(counted);
  } finally {
    prototype.query = query;
  }
  return counted;
}
