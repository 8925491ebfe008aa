/**
 * A pool of connections to Postgres: the only module, with `values.ts`, that knows the driver
 * (`pg`).
 *
 * A connection that is lost fails the statements on it and leaves the pool; whoever waits gets
 * another one. Nothing is thrown outside of a promise, and no place in the pool is lost: see
 * `connections_test.ts`.
 * @module
 */
// @ts-types="./pg.d.ts"
import pg, { type ClientOptions, type DatabaseError, type PoolClient, type Result } from "pg";
import { ASK_ROLE, type DatabaseServer, Primary, type Role } from "./primary.ts";
import { BatchingSocket } from "./socket.ts";
import { getTypeParser } from "./values.ts";

// deno-lint-ignore no-explicit-any -- whoever asks knows the columns
export type Row = Record<string, any>;

/** A column of an answer. */
export interface Column {
  name: string;
  /** The table it comes from (its oid) and its place there; 0 when it is computed. */
  table: number;
  number: number;
}

/** The rows of an answer, and what else it says. */
export type Rows<List extends readonly unknown[]> =
  & List
  & Pick<Answer, "count" | "command" | "columns">;

class Answer extends Array<Row> {
  readonly #result: Result;
  static override get [Symbol.species]() {
    return Array;
  }
  constructor(result: Result) {
    super();
    this.#result = result;
    for (const row of result.rows) this.push(row);
  }
  /** How many rows were found or changed. */
  get count(): number {
    return this.#result.rowCount ?? 0;
  }
  /** Such as `UPDATE`. */
  get command(): string {
    return this.#result.command;
  }
  get columns(): Column[] {
    return this.#result.fields.map(({ name, tableID, columnID }) => ({
      name,
      table: tableID,
      number: columnID,
    }));
  }
}

/** A statement on its way. */
export interface Question {
  text: string;
  /** Without these it goes by the simple protocol, which takes several statements at once. */
  values?: unknown[];
  /** Under which this connection keeps it prepared. */
  name?: string;
  /** It may take as long as it likes. */
  patient?: boolean;
}

/** One connection, lent for a while. */
export interface Connection {
  send(question: Question): Promise<Rows<Row[]>>;
  /** What a `copy … to stdout` sends, message by message. */
  copyOut(text: string): Promise<Uint8Array<ArrayBuffer>[]>;
  isLost(): boolean;
  /** Has it closed, since nobody knows what state it is in. */
  discard(why: unknown): void;
}

export interface Connections {
  /** Runs one statement; while all connections are lent out, behind others on one of them. */
  ask(question: Question): Promise<Rows<Row[]>>;
  /** Lends a connection to `work`. One that is lost meanwhile does not come back. */
  lend<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result>;
  /** Resolves when all have come back and are closed; after so many seconds they are cut. */
  end(timeoutSeconds?: number): Promise<void>;
}

export interface ConnectionsOptions {
  /** Of several the one that is the primary is found. */
  servers: DatabaseServer[];
  database: string;
  user: string;
  password: string;
  applicationName: string;
  searchPath: string;
  /** How many at most. */
  max: number;
  /** Without an answer after so many milliseconds a connection counts as lost; 0 waits for ever. */
  answerWithinMs: number;
  onNotice: (message: string) => void;
}

/** No connection could be made, or it was lost while a statement was under way. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
  constructor(
    readonly code: "CONNECTION_FAILED" | "CONNECTION_LOST",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const CONNECT_TIMEOUT_MS = 5000;
/** How many single statements one connection has under way. */
const MOST_TOGETHER = 32;
/** How long others may join, while somebody waits for a connection of its own. */
const SHARED_MS = 10;
/** Codes after which the server hangs up: it was told to end this connection, or ends itself. */
const LAST_WORDS = /^(57P0|08)/;
/** Who waits so long for an answer looks whether another server has become the primary. */
const LOOK_ELSEWHERE_MS = 2000;
/** Connections are made anew now and then: the server keeps things for each. */
const LIFETIME_SECONDS = 3600;
/** What a burst has opened and nobody needs any more is 3 to 6 MiB of the server's memory each. */
const IDLE_MS = 30_000;

/** A pool; connections are made when they are needed. */
export function createConnections(
  { answerWithinMs, onNotice, servers, ...options }: ConnectionsOptions,
): Connections {
  const primary = new Primary(servers);
  const { Client, ...config } = poolConfig({ ...options, primary });
  const pool = new pg.Pool({ ...config, Client });
  const open = new Map<PoolClient, OpenConnection>();
  /** Lent out for single statements, which may be joined by others; and since when. */
  const shared = new Map<OpenConnection, number>();
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
      servers.filter((one) => one !== here).map(async (server) => {
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
      client.release(connection.isLost());
    }
  }

  /** A connection at work on single statements, when there is no free one. */
  function joinable(): OpenConnection | undefined {
    if (open.size < options.max || pool.idleCount > 0) return undefined;
    let best: OpenConnection | undefined;
    for (const [one, since] of shared) {
      if (one.isLost() || one.underWay() >= MOST_TOGETHER) continue;
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
      client.release(connection.isLost());
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

interface OpenConnection extends Connection {
  /** How many statements have no answer yet. */
  underWay(): number;
  /**
   * Since when the next answer is waited for; for ever in the future when none is, or when it may
   * take its time.
   */
  waitsSince(): number;
  /** Calls once when all statements under way are answered. */
  whenIdle(then: () => void): void;
}

function openConnection(client: PoolClient): OpenConnection {
  let lost = false;
  let why: unknown;
  let underWay = 0;
  let patience = 0;
  let since = Infinity;
  let onIdle = () => {};

  function lose(error?: unknown) {
    lost = true;
    why ??= error;
  }
  // It stays: while the connection is lent out the pool does not listen.
  client.on("error", lose);
  client.once("end", () => lose());

  function began() {
    if (underWay++ === 0) since = performance.now();
  }
  function answered() {
    since = --underWay === 0 ? Infinity : performance.now();
    if (underWay === 0) onIdle();
  }

  function run(query: AnyQuery): Promise<Result> {
    return new Promise((resolve, reject) => {
      began();
      client.query(query, (error, result) => {
        answered();
        if (error) reject(explained(error));
        else resolve(Array.isArray(result) ? result.at(-1)! : result!);
      });
    });
  }

  function explained(error: Error): unknown {
    const fault = faultOf(error);
    if (fault && LAST_WORDS.test(fault.code ?? "")) lose(fault);
    if (lost) return connectionError("CONNECTION_LOST", why ?? error);
    // Where it was asked says more than the socket's reading.
    Error.captureStackTrace(error, run);
    return named(error);
  }

  return {
    async send({ text, values, name, patient }) {
      if (patient) patience++;
      try {
        return new Answer(await run(new AnyQuery(text, values, name))) as Rows<Row[]>;
      } finally {
        if (patient) patience--;
      }
    },
    async copyOut(text) {
      const query = new CopyOut(text);
      await run(query);
      return query.messages;
    },
    isLost: () => lost,
    discard(error) {
      lose(error);
      // With a statement under way this cuts the socket, and fails whatever waits on it.
      if (underWay > 0) client.connection.stream.destroy();
      else client.end().catch(() => {});
    },
    underWay: () => underWay,
    waitsSince: () => patience > 0 ? Infinity : since,
    whenIdle(then) {
      onIdle = () => {
        onIdle = () => {};
        then();
      };
    },
  };
}

type Done = (error?: Error | null) => void;

/** A connection to one server, which knows of which timeline that is. */
interface RoleClient {
  timeline: number;
}

function poolConfig(
  { applicationName, searchPath, max, primary, ...place }:
    & Omit<ConnectionsOptions, "answerWithinMs" | "onNotice" | "servers">
    & { primary: Primary },
) {
  const config: Omit<ClientOptions, "host" | "port"> = {
    ...place,
    ssl: false,
    application_name: applicationName,
    options: `-c search_path=${searchPath}`,
    types: { getTypeParser },
    keepAlive: true,
    stream: () => new BatchingSocket(),
    // Statements that are made together go out together.
    pipeline: true,
    // Not the pool's option of this name: that would also end the patience of those who wait for
    // their turn.
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  class OwnClient extends pg.Client implements RoleClient {
    readonly server: DatabaseServer;
    timeline = 0;

    constructor(server: DatabaseServer | object = {}) {
      const chosen = "host" in server ? server : primary.server;
      super({ ...config, host: chosen.host, port: chosen.port });
      this.server = chosen;
    }

    override connect(): Promise<void>;
    override connect(done: Done): void;
    override connect(done?: Done): Promise<void> | void {
      if (!done) {
        return new Promise((resolve, reject) =>
          this.connect((error) => error ? reject(error) : resolve())
        );
      }
      super.connect((error) => {
        if (error) primary.isNot(this.server);
        if (error || !primary.isOneOfSeveral) return done(error);
        this.#askRole(done);
      });
    }

    #askRole(done: Done): void {
      const timer = setTimeout(() => this.connection.stream.destroy(), CONNECT_TIMEOUT_MS);
      this.query(new pg.Query(ASK_ROLE), (error, result) => {
        clearTimeout(timer);
        const role = (result as Result | undefined)?.rows[0] as Role | undefined;
        const objection = role ? primary.objection(this.server, role) : error?.message;
        if (objection === undefined) {
          this.timeline = role!.timeline;
          return done();
        }
        primary.isNot(this.server);
        this.end().catch(() => {});
        done(new Error(objection, { cause: error }));
      });
    }
  }
  return {
    max,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    Client: OwnClient,
  };
}

/** Made from its parts: the driver would copy an object of them with all its descriptors. */
class AnyQuery extends pg.Query {
  constructor(text: string, values?: unknown[], name?: string) {
    super(text, values);
    if (name !== undefined) this.name = name;
  }
}

/** A `copy … to stdout`. Its messages are copied: they lie in the socket's own memory. */
class CopyOut extends AnyQuery {
  readonly messages: Uint8Array<ArrayBuffer>[] = [];

  handleCopyData({ chunk }: { chunk: Uint8Array }): void {
    this.messages.push(new Uint8Array(chunk));
  }
}

function connectionError(code: ConnectionError["code"], cause: unknown): unknown {
  // What Postgres or the system says of it has a code of its own.
  if (typeof (cause as { code?: unknown } | null)?.code === "string") return named(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(code, message, { cause });
}

/** The driver calls them all "error". */
function named(error: unknown): unknown {
  const fault = faultOf(error);
  if (fault) Object.defineProperty(fault, "name", { value: "PostgresError" });
  return error;
}

/** What Postgres says of a statement, when that is what was thrown. */
export function faultOf(error: unknown): DatabaseError | undefined {
  return error instanceof pg.DatabaseError ? error : undefined;
}
