/**
 * A pool of connections to Postgres. With `open_connection.ts`, `server_client.ts` and `values.ts`
 * it alone knows the driver (`pg`).
 *
 * A connection that is lost fails the statements on it and leaves the pool; whoever waits gets
 * another one. Nothing is thrown outside of a promise, and no place in the pool is lost: see
 * `connections_test.ts`.
 * @module
 */
// @ts-types="./pg.d.ts"
import pg, { type PoolClient } from "pg";
import {
  type Connection,
  connectionError,
  type OpenConnection,
  openConnection,
  type Question,
  type Row,
  type Rows,
} from "./open_connection.ts";
import { type DatabaseServer, Primary } from "./primary.ts";
import { type ClientPlace, poolConfig, type RoleClient } from "./server_client.ts";

export interface Connections {
  /** Runs one statement; while all connections are lent out, behind others on one of them. */
  ask(question: Question): Promise<Rows<Row[]>>;
  /** Lends a connection to `work`. One that is lost meanwhile does not come back. */
  lend<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result>;
  /** Resolves when all have come back and are closed; after so many seconds they are cut. */
  end(timeoutSeconds?: number): Promise<void>;
}

export interface ConnectionsOptions extends ClientPlace {
  /** Of several the one that is the primary is found. */
  servers: DatabaseServer[];
  /** Without an answer after so many milliseconds a connection counts as lost; 0 waits for ever. */
  answerWithinMs: number;
  onNotice: (message: string) => void;
}

/** How many single statements one connection has under way. */
const MOST_TOGETHER = 32;
/** How long others may join, while somebody waits for a connection of its own. */
const SHARED_MS = 10;
/** Who waits so long for an answer looks whether another server has become the primary. */
const LOOK_ELSEWHERE_MS = 2000;
/** A pool; connections are made when they are needed. */
export function createConnections(
  { answerWithinMs, onNotice, servers, ...options }: ConnectionsOptions,
): Connections {
  const primary = new Primary(servers);
  const { Client, ...config } = poolConfig(options, primary);
  const pool = new pg.Pool({ ...config, Client });
  const open = watchOpen(pool, { primary, answerWithinMs, onNotice, Client });
  /** Lent out for single statements, which may be joined by others; and since when. */
  const shared = new Map<OpenConnection, number>();

  async function take(): Promise<{ client: PoolClient; connection: OpenConnection }> {
    for (let tried = 1;; tried++) {
      try {
        const client = await pool.connect();
        return { client, connection: open.get(client)! };
      } catch (error) {
        if (tried >= servers.length) throw connectionError("CONNECTION_FAILED", error);
      }
    }
  }

  async function lend<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const { client, connection } = await take();
    try {
      return await work(connection);
    } finally {
      client.release(connection.isSpent());
    }
  }

  /** A connection at work on single statements, when there is no free one. */
  function joinable(): OpenConnection | undefined {
    if (open.size < options.max || pool.idleCount > 0) return undefined;
    let best: OpenConnection | undefined;
    for (const [one, since] of shared) {
      if (one.isSpent() || one.underWay() >= MOST_TOGETHER) continue;
      // Transactions wait for a whole connection: it must come back to them.
      if (pool.waitingCount > 0 && performance.now() - since > SHARED_MS) continue;
      // Not behind a statement that takes long.
      if (!best || one.waitsSince() > best.waitsSince()) best = one;
    }
    return best;
  }

  async function ask(question: Question): Promise<Rows<Row[]>> {
    const joined = joinable();
    if (joined) return await joined.send(question);
    const { client, connection } = await take();
    shared.set(connection, performance.now());
    const answer = connection.send(question);
    connection.whenIdle(() => {
      shared.delete(connection);
      client.release(connection.isSpent());
    });
    return await answer;
  }

  async function end(timeoutSeconds: number | undefined): Promise<void> {
    const closed = [...open.keys()].map((client) =>
      new Promise((resolve) => client.once("end", resolve))
    );
    const all = Promise.all([pool.end(), ...closed]);
    if (timeoutSeconds === undefined) return void await all;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutSeconds * 1000);
    await Promise.race([all, late]);
    clearTimeout(timer);
    for (const connection of open.values()) connection.discard(new Error("the pool has ended"));
  }

  let ending: Promise<void> | undefined;
  return { lend, ask, end: (timeoutSeconds) => ending ??= end(timeoutSeconds) };
}

/**
 * The connections that a pool has open. One on which nothing is answered in time, or that leads to
 * a server which is the primary no more, is discarded.
 */
function watchOpen(
  pool: InstanceType<typeof pg.Pool>,
  { primary, answerWithinMs, onNotice, Client }:
    & { primary: Primary; Client: ReturnType<typeof poolConfig>["Client"] }
    & Pick<ConnectionsOptions, "answerWithinMs" | "onNotice">,
): Map<PoolClient, OpenConnection> {
  const open = new Map<PoolClient, OpenConnection>();
  let watching: ReturnType<typeof setInterval> | undefined;

  // Without a listener the pool would throw the error of an idle connection where nobody can catch
  // it.
  pool.on("error", () => {});
  pool.on("connect", (client: PoolClient) => {
    open.set(client, openConnection(client));
    leaveOld();
    if (answerWithinMs > 0) watching ??= setInterval(watch, Math.min(1000, answerWithinMs / 4));
    client.on("notice", ({ message }: Error) => onNotice(message));
    client.once("end", () => {
      open.delete(client);
      if (open.size > 0) return;
      clearInterval(watching);
      watching = undefined;
    });
  });

  /**
   * A server that is gone without a word would keep its connections, and whoever waits for them,
   * for ever.
   */
  function watch() {
    const now = performance.now();
    const tooLong = now - answerWithinMs;
    for (const connection of open.values()) {
      if (connection.waitsSince() < now - LOOK_ELSEWHERE_MS) void lookElsewhere();
      if (connection.waitsSince() > tooLong) continue;
      connection.discard(new Error(`Postgres did not answer within ${answerWithinMs / 1000} s`));
    }
  }

  let looking = false;
  /** Asks the other servers whether one of them is the primary now. */
  async function lookElsewhere(): Promise<void> {
    if (looking || !primary.isOneOfSeveral) return;
    looking = true;
    const here = primary.server;
    await Promise.all(
      primary.servers.filter((one) => one !== here).map(async (server) => {
        const client = new Client(server);
        client.on("error", () => {});
        await new Promise<unknown>((resolve) => client.connect(resolve));
        client.end().catch(() => {});
      }),
    );
    looking = false;
    leaveOld();
  }

  /** What is on a server that is the primary no more is lost, even if that does not say so. */
  function leaveOld(): void {
    for (const [client, connection] of open) {
      if ((client as unknown as RoleClient).timeline >= primary.timeline) continue;
      connection.discard(new Error("another database server has become the primary"));
    }
  }
  return open;
}
