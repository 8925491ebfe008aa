/**
 * One connection to Postgres as it is lent out: what is under way on it, and whether it is lost.
 * @module
 */
// @ts-types="./pg.d.ts"
import pg, { type DatabaseError, type PoolClient, type Result } from "pg";

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

/** Codes after which the server hangs up: it was told to end this connection, or ends itself. */
const LAST_WORDS = /^(57P0|08)/;

/** How many statements are prepared. */
export const MOST_PREPARED = 1000;

export interface OpenConnection extends Connection {
  /**
   * Whether it is closed rather than lent out again: it is lost, or keeps more statements prepared
   * than are of use, since each stays in the server's memory until the connection ends.
   */
  isSpent(): boolean;
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

export function openConnection(client: PoolClient): OpenConnection {
  let lost = false;
  let why: unknown;
  let underWay = 0;
  const prepared = new Set<string>();
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
      if (name !== undefined) prepared.add(name);
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
    isSpent: () => lost || prepared.size > MOST_PREPARED,
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

export function connectionError(code: ConnectionError["code"], cause: unknown): unknown {
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
