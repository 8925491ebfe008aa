/**
 * The driver's client, made for one of several servers: it is a connection once the server has said
 * that it is the primary.
 * @module
 */
// @ts-types="./pg.d.ts"
import pg, { type ClientOptions, type Result } from "pg";
import { ASK_ROLE, type DatabaseServer, type Primary, type Role } from "./primary.ts";
import { BatchingSocket } from "./socket.ts";
import { getTypeParser } from "./values.ts";

export interface ClientPlace {
  database: string;
  user: string;
  password: string;
  applicationName: string;
  searchPath: string;
  /** How many at most. */
  max: number;
}

const CONNECT_TIMEOUT_MS = 5000;
/** Connections are made anew now and then: the server keeps things for each. */
const LIFETIME_SECONDS = 3600;
/** What a burst has opened and nobody needs any more is 3 to 6 MiB of the server's memory each. */
const IDLE_MS = 30_000;

type Done = (error?: Error | null) => void;

/** A connection to one server, which knows of which timeline that is. */
export interface RoleClient {
  timeline: number;
}

/** What a pool is made of: its limits, and the class of its clients. */
export function poolConfig(
  { applicationName, searchPath, max, ...place }: ClientPlace,
  primary: Primary,
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
      this.#open((error) => {
        if (error) primary.isNot(this.server);
        if (error || !primary.isOneOfSeveral) return done(error);
        this.#askRole(done);
      });
    }

    #open(done: Done): void {
      const began = performance.now();
      try {
        super.connect((error) => {
          // Of its own patience the driver says only that the connection has ended.
          const late = error && !("code" in error) &&
            performance.now() - began >= CONNECT_TIMEOUT_MS - 100;
          done(late ? this.#tooLate(error) : error);
        });
      } catch (error) {
        // Where Deno does not let it connect, the driver would throw once more when its patience
        // ends, where nobody can catch it.
        clearTimeout(this.connectionTimeoutHandle);
        this.connection.on("error", () => {});
        queueMicrotask(() => done(error as Error));
      }
    }

    #tooLate(cause: Error): Error {
      const { host, port } = this.server;
      const said = `${host}:${port} does not answer within ${CONNECT_TIMEOUT_MS / 1000} s`;
      return Object.assign(new Error(said, { cause }), { code: "ETIMEDOUT" });
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
