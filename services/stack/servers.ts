/**
 * What a hub on this machine stands on: a PostgreSQL and a broker, or a cluster of both.
 * @module
 */
import { DATABASE } from "./names.ts";
import { join } from "node:path";
import { keepSecret, newSecret } from "./deployment.ts";
import { choosePorts } from "./choose_ports.ts";
import { findNatsServer, startNatsServer } from "./nats_server.ts";
import { type Postgres, POSTGRES_ADMIN, startPostgres } from "./postgres.ts";
import type { Deployment } from "./setup.ts";
import { setUpFilesApart } from "./set_up.ts";
import type { Part, Supervisor } from "./supervisor.ts";

export const LOOPBACK = "127.0.0.1";
/** What stops first has the highest number: whoever needs others before those. */
export const TIER = {
  agreement: 0,
  servers: 1,
  services: 2,
  gateways: 3,
  front: 4,
  nodes: 5,
} as const;

export interface ServersOptions {
  folder: string;
  cacheFolder: string;
  gatewayPort?: number | undefined;
  preferredGatewayPort?: number | undefined;
  say: (message: string) => void;
  temporary?: boolean | undefined;
  supervisor: Supervisor;
  signal: AbortSignal;
}

/** The running servers, and where whoever needs them finds them. */
export interface Servers {
  deployment: Deployment;
  /** `host:port` of the WebSocket of each server of the broker. */
  brokers: string[];
  /** The broker's address for nodes. */
  nodeNatsUrl: string;
  /** The database's socket, or `host:port` of each of its servers. */
  database: { socket: string } | { servers: string[] };
  /** The address of a database for the server's administrator. */
  adminUrl(database: string): string;
  /** The address of the hub's database for the role of a service. */
  serviceUrl(role: string, password: string): string;
  /** How many of each service run. */
  replicas: number;
  /** `host:port` on which each gateway listens. */
  gateways: string[];
  /** `host:port` where the API is: the gateway's, or the front's before several. */
  door: string;
  /** What is before the gateways, to be started last. */
  front?: Part;
  /** The name of the part that is the primary database server now. */
  primary(): Promise<string>;
  /** Resolves when each of them is there that is to be. */
  whole(): Promise<void>;
}

/** One PostgreSQL on a unix socket, and one broker. */
export async function startServers(
  { folder, cacheFolder, temporary, say, supervisor, ...options }: ServersOptions,
): Promise<Servers> {
  const ports = await choosePorts({
    folder,
    names: ["nats", "natsWebsocket"],
    say,
    ...options,
  });
  const broker = `${LOOPBACK}:${ports.natsWebsocket}`;
  const settingUp = setUpFilesApart(folder, {
    host: LOOPBACK,
    port: ports.nats,
    websocketPort: ports.natsWebsocket,
  });
  // The database may fail first.
  settingUp.catch(() => {});
  const adminPassword = await keepSecret(join(folder, "database", POSTGRES_ADMIN), newSecret);

  let database: Postgres;
  const postgresPart: Part = {
    name: "postgres",
    format: "postgres",
    async start(hooks) {
      database = await startPostgres({
        folder: join(folder, "postgres"),
        cacheFolder,
        adminPassword,
        syncInit: !temporary,
        ...hooks,
      });
    },
  };
  const natsProgram = findNatsServer(cacheFolder, { say });
  const natsPart: Part = {
    name: "nats",
    format: "nats",
    async start(hooks) {
      const { natsConfig } = await settingUp;
      await startNatsServer(await natsProgram, natsConfig, hooks);
    },
  };
  await supervisor.start(TIER.servers, postgresPart, natsPart);
  const deployment = await settingUp;
  const gateway = `${LOOPBACK}:${ports.gateway}`;
  return {
    deployment,
    brokers: [broker],
    nodeNatsUrl: `ws://${broker}`,
    database: { socket: database!.socketPath },
    adminUrl: (name) => database.url(POSTGRES_ADMIN, adminPassword, name),
    serviceUrl: (role, password) => database.url(role, password, DATABASE),
    replicas: 1,
    gateways: [gateway],
    door: gateway,
    primary: () => Promise.resolve(postgresPart.name),
    whole: () => Promise.resolve(),
  };
}
