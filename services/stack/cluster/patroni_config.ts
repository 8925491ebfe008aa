/**
 * The configuration file of Patroni for one database server.
 * @module
 */
import { parse, stringify } from "yaml";
import { POSTGRES_ADMIN } from "../postgres.ts";
import type { AgreementApi } from "./agreement.ts";

export interface Member {
  name: string;
  /** Where it listens, and its Patroni. */
  host: string;
  port: number;
  restPort: number;
}

export interface PatroniConfigOptions extends Member {
  /**
   * What holds the database cluster and the file of passwords, which Patroni may change as a whole.
   */
  folder: string;
  /** The folder of PostgreSQL's programs. */
  bin: string;
  etcd: { host: string; username: string; password: string; api: AgreementApi };
  /** Of the role `postgres`. */
  adminPassword: string;
  /** With which Patroni lets itself be told to do something. */
  restPassword: string;
  /** Addresses from which the database is reached, such as `127.0.0.1/32`. */
  clients: string[];
}

const COMMON = new URL("./patroni_common.yaml", import.meta.url);

/** The text of the file. It holds passwords: PostgreSQL's account alone may read it. */
export async function patroniConfig(
  { name, host, port, restPort, folder, bin, etcd: { api, ...etcd }, ...options }:
    PatroniConfigOptions,
): Promise<string> {
  const { adminPassword, restPassword, clients } = options;
  // One role for all: who may replicate can read everything, and rewinding takes a superuser's
  // rights or nearly so. It is used by Patroni and the set-up alone.
  const admin = { username: POSTGRES_ADMIN, password: adminPassword };
  const common = parse(await Deno.readTextFile(COMMON));
  return stringify({
    ...common,
    name,
    restapi: {
      listen: `${host}:${restPort}`,
      connect_address: `${host}:${restPort}`,
      authentication: { username: "patroni", password: restPassword },
    },
    [api === "v3" ? "etcd3" : "etcd"]: etcd,
    postgresql: {
      ...common.postgresql,
      listen: `${host}:${port}`,
      connect_address: `${host}:${port}`,
      data_dir: `${folder}/data`,
      bin_dir: bin,
      pgpass: `${folder}/pgpass`,
      authentication: { superuser: admin, replication: admin, rewind: admin },
      pg_hba: clients.flatMap((address) => [
        `host all all ${address} scram-sha-256`,
        `host replication ${POSTGRES_ADMIN} ${address} scram-sha-256`,
      ]),
    },
  });
}
