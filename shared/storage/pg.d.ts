/**
 * The parts of `pg` (8.23) that are used here. Its own types are another package, which brings
 * other types of Node's modules than Deno's.
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";

interface Field {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
}

interface Result {
  // deno-lint-ignore no-explicit-any -- whatever the columns hold
  rows: Record<string, any>[];
  rowCount: number | null;
  command: string;
  fields: Field[];
}

/** What the server said of a statement. */
declare class DatabaseError extends Error {
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  readonly routine: string | undefined;
}

declare class Query {
  constructor(text: string, values?: unknown[]);
  constructor(config: { text: string; rowMode?: "array"; queryMode?: "extended" });
  name: string;
}

interface ClientOptions {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl?: boolean | { ca: string };
  application_name?: string;
  options?: string;
  types?: { getTypeParser(oid: number): (text: string) => unknown };
  keepAlive?: boolean;
  stream?: () => Socket;
  pipeline?: boolean;
  connectionTimeoutMillis?: number;
}

declare class Client extends EventEmitter {
  constructor(options: ClientOptions);
  connect(): Promise<void>;
  connect(done: (error?: Error | null) => void): void;
  query(query: Query, done: (error: Error | null, result?: Result | Result[]) => void): void;
  readonly connection: EventEmitter & { readonly stream: Socket };
  /** Ends the driver's patience with a connection that is being made. */
  protected readonly connectionTimeoutHandle?: ReturnType<typeof setTimeout>;
  end(): Promise<void>;
}

interface PoolClient extends Client {
  release(discard: boolean): void;
}

declare class Pool extends EventEmitter {
  constructor(options: {
    max: number;
    idleTimeoutMillis: number;
    maxLifetimeSeconds: number;
    Client: new () => Client;
  });
  readonly idleCount: number;
  readonly waitingCount: number;
  connect(): Promise<PoolClient>;
  end(): Promise<void>;
}

declare const pg: {
  Client: typeof Client;
  DatabaseError: typeof DatabaseError;
  Pool: typeof Pool;
  Query: typeof Query;
  types: { getTypeParser(oid: number, format: "text"): (text: string) => unknown };
};
export type { Client, ClientOptions, DatabaseError, PoolClient, Result };
export default pg;
