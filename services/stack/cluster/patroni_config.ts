/**
 * The configuration file of Patroni for one database server.
 * @module
 */
import { stringify } from "yaml";
import { POSTGRES_ADMIN } from "../postgres.ts";

export interface Member {
  name: string;
  /** Where it listens, and its Patroni. */
  host: string;
  port: number;
  restPort: number;
}

export interface PatroniConfigOptions extends Member {
  /** What holds the database cluster and the file of passwords, which Patroni may change as a whole. */
  folder: string;
  /** The folder of PostgreSQL's programs. */
  bin: string;
  etcd: { host: string; username: string; password: string };
  /** Of the role `postgres`. */
  adminPassword: string;
  /** With which Patroni lets itself be told to do something. */
  restPassword: string;
  /** Addresses from which the database is reached, such as `127.0.0.1/32`. */
  clients: string[];
}

/**
 * How long what may take, in seconds. Patroni takes no `ttl` below 20, and it has to be at least
 * `loop_wait` and twice `retry_timeout`: a primary that cannot renew its lease in that time steps
 * down before the standby may take over. So a primary whose machine is lost is replaced after some
 * 20 s; one that ended alone, at the next turn.
 */
const PACE = { ttl: 20, loop_wait: 3, retry_timeout: 5 };

/** What both servers have to have alike; kept in etcd from the first start on. */
const COMMON = {
  ...PACE,
  // What was acknowledged is on the standby, too: a failover loses nothing, and a server that was
  // replaced without knowing it can acknowledge nothing. Without a standby the primary goes on alone.
  synchronous_mode: true,
  failsafe_mode: true,
  // A server that ended is not waited for while another one can take over.
  primary_start_timeout: 0,
  postgresql: {
    use_pg_rewind: true,
    use_slots: true,
    parameters: {
      max_connections: 200,
      // A standby that stands still holds up every change until it counts as gone.
      wal_sender_timeout: "5s",
      wal_receiver_timeout: "5s",
      wal_receiver_status_interval: "1s",
      log_line_prefix: "",
      timezone: "UTC",
      log_timezone: "UTC",
    },
  },
};

/** The text of the file. It holds passwords: PostgreSQL's account alone may read it. */
export function patroniConfig(
  { name, host, port, restPort, folder, bin, etcd, ...options }: PatroniConfigOptions,
): string {
  const { adminPassword, restPassword, clients } = options;
  // One role for all: who may replicate can read everything, and rewinding takes a superuser's rights
  // or nearly so. It is used by Patroni and the set-up alone.
  const admin = { username: POSTGRES_ADMIN, password: adminPassword };
  return stringify({
    scope: "sextant",
    name,
    log: { level: "INFO" },
    watchdog: { mode: "off" },
    restapi: {
      listen: `${host}:${restPort}`,
      connect_address: `${host}:${restPort}`,
      authentication: { username: "patroni", password: restPassword },
    },
    etcd,
    bootstrap: {
      dcs: COMMON,
      initdb: [{ encoding: "UTF8" }, { locale: "C" }, "data-checksums"],
    },
    postgresql: {
      listen: `${host}:${port}`,
      connect_address: `${host}:${port}`,
      data_dir: `${folder}/data`,
      bin_dir: bin,
      pgpass: `${folder}/pgpass`,
      authentication: { superuser: admin, replication: admin, rewind: admin },
      // What one server alone had written is what nobody was told of: it may go.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      parameters: { unix_socket_directories: "" },
      pg_hba: clients.flatMap((address) => [
        `host all all ${address} scram-sha-256`,
        `host replication ${POSTGRES_ADMIN} ${address} scram-sha-256`,
      ]),
    },
  });
}
