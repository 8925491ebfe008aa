/**
 * Which of several database servers is the primary, as one process knows it.
 *
 * Patroni, or whoever else looks after the servers, makes another one the primary when the first is
 * gone. A server says of itself whether it is a standby; that alone does not suffice, since one
 * that was cut off or stood still takes itself for the primary until it hears otherwise. So its
 * timeline is asked for, too: each promotion begins a new one, with a higher number, and who has
 * seen a higher one never goes back. Besides, a server that was replaced cannot acknowledge a
 * change: with `synchronous_mode` each waits for the standby, which is its standby no more.
 * @module
 */

export interface DatabaseServer {
  /** The folder of a unix socket, or a name. */
  host: string;
  port: number;
}

/** What a server says of itself, in answer to {@linkcode ASK_ROLE}. */
export interface Role {
  standby: boolean;
  timeline: number;
}

/** The timeline is in the name of the log file that is being written: its first eight digits. */
export const ASK_ROLE = `
  select pg_is_in_recovery() as standby, case when pg_is_in_recovery() then 0 else
    ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end as timeline`;

export class Primary {
  readonly servers: readonly DatabaseServer[];
  #place = 0;
  #timeline = 0;

  constructor(servers: readonly DatabaseServer[]) {
    if (servers.length === 0) throw new TypeError("Cannot open a database without a server");
    this.servers = servers;
  }

  /** Whether there is anything to find out. */
  get isOneOfSeveral(): boolean {
    return this.servers.length > 1;
  }

  /** The one to try next. */
  get server(): DatabaseServer {
    return this.servers[this.#place]!;
  }

  /** The newest timeline that was seen. */
  get timeline(): number {
    return this.#timeline;
  }

  /** It could not be had, or is not the primary: the next one's turn, unless it came meanwhile. */
  isNot(server: DatabaseServer): void {
    if (server === this.server) this.#place = (this.#place + 1) % this.servers.length;
  }

  /** Why a server is not the primary, by what it says; `undefined` when it is. */
  objection(server: DatabaseServer, { standby, timeline }: Role): string | undefined {
    const name = `the database server ${server.host}:${server.port}`;
    if (standby) return `${name} is a standby`;
    if (timeline < this.#timeline) return `${name} was the primary once, and another one is now`;
    this.#timeline = timeline;
    this.#place = this.servers.indexOf(server);
    return undefined;
  }
}

/**
 * The servers of an address as libpq writes it: `host` and `port` in the query, each a list with
 * commas.
 */
export function serversOf(hosts: string, ports: string): DatabaseServer[] {
  const numbers = ports.split(",");
  return hosts.split(",").map((host, index) => ({
    host,
    port: Number(numbers[index] ?? numbers[0]),
  }));
}
