/**
 * A cluster on one machine, without containers: three brokers, a PostgreSQL primary with its
 * standby, and a front before two gateways.
 * @module
 */
import { DATABASE } from "../names.ts";
import { join } from "node:path";
import { silentLogger } from "../../../shared/service/log.ts";
import { openDatabase, waitForDatabase } from "../../../shared/storage/db.ts";
import { choosePorts } from "../choose_ports.ts";
import { keepSecret, newSecret } from "../deployment.ts";
import { findClusterNatsServer, startNatsServer } from "../nats_server.ts";
import { POSTGRES_ADMIN, removeOrphan } from "../postgres.ts";
import { LOOPBACK, type Servers, type ServersOptions, TIER } from "../servers.ts";
import { setUpFiles } from "../setup.ts";
import type { Part } from "../supervisor.ts";
import { agreementApi, agreementPart } from "./agreement.ts";
import { setUpDatabases } from "./databases.ts";
import { frontPart } from "./front.ts";
import { DATABASES } from "./kind.ts";
import { findClusterPrograms } from "./programs.ts";

const BROKERS = ["nats", "nats-2", "nats-3"] as const;
const DATABASE_SERVERS = ["postgres", "postgres-2"] as const;
const GATEWAYS = ["gateway-1", "gateway-2"] as const;
const REPLICAS = 2;
/** What has a port; `gateway` is the front's, where users and nodes look for the hub. */
const PORTS = [
  ...BROKERS,
  "natsWebsocket",
  "natsWebsocket-2",
  "natsWebsocket-3",
  "natsRoute",
  "natsRoute-2",
  "natsRoute-3",
  ...DATABASE_SERVERS,
  "patroni",
  "patroni-2",
  "etcd",
  "etcdPeer",
  ...GATEWAYS,
] as const;

/**
 * Starts etcd, Patroni with both databases, and the brokers; the front is the caller's to start.
 */
export async function startClusterServers(
  { folder, cacheFolder, say, supervisor, signal, ...options }: ServersOptions,
): Promise<Servers> {
  const programs = findClusterPrograms();
  // Before ports are chosen: one that was left running, with its Patroni killed, holds its own.
  for (const name of DATABASE_SERVERS) await removeOrphan(join(folder, DATABASES, name, "data"));
  const ports = await choosePorts({ folder, names: PORTS, say, ...options });
  const at = (port: number) => `${LOOPBACK}:${port}`;
  const routes = [ports.natsRoute, ports["natsRoute-2"], ports["natsRoute-3"]];
  const websockets = [ports.natsWebsocket, ports["natsWebsocket-2"], ports["natsWebsocket-3"]];
  const deployment = await setUpFiles(
    folder,
    ...BROKERS.map((name, index) => ({
      name,
      host: LOOPBACK,
      port: ports[name],
      websocketPort: websockets[index]!,
      cluster: { port: routes[index]!, routes: routes.map(at) },
    })),
  );
  const secret = (name: string) => keepSecret(join(folder, "database", name), newSecret);
  const [adminPassword, etcdPassword, restPassword] = await Promise.all(
    [POSTGRES_ADMIN, "etcd", "patroni"].map(secret),
  ) as [string, string, string];

  const api = await agreementApi(programs.patroni);
  const etcd = { port: ports.etcd, peerPort: ports.etcdPeer, password: etcdPassword, api };
  const databases = await setUpDatabases({
    folder,
    patroni: programs.patroni,
    members: DATABASE_SERVERS.map((name, index) => ({
      name,
      host: LOOPBACK,
      port: ports[name],
      restPort: [ports.patroni, ports["patroni-2"]][index]!,
    })),
    etcd,
    adminPassword,
    restPassword,
  });
  const adminUrl = (name: string) => databases.url(POSTGRES_ADMIN, adminPassword, name);
  const natsProgram = findClusterNatsServer(cacheFolder, { say });
  const natsParts = BROKERS.map((name, index): Part => ({
    name,
    format: "nats",
    start: async (hooks) =>
      void await startNatsServer(await natsProgram, deployment.natsConfigs[index]!, hooks),
  }));
  await supervisor.start(TIER.agreement, agreementPart({ ...etcd, etcd: programs.etcd, folder }));
  const [first, ...others] = databases.parts;
  await supervisor.start(TIER.servers, first!, ...natsParts);
  if (databases.wasSingle) await databases.primary();
  await supervisor.start(TIER.servers, ...others);
  await databases.primary();
  const database = openDatabase(adminUrl("postgres"), { schema: "pg_catalog", log: silentLogger });
  // Who has the lease may be just starting.
  await waitForDatabase(database, silentLogger, signal);
  await database.end();

  const gateways = GATEWAYS.map((name) => at(ports[name]));
  const brokers = websockets.map(at);
  return {
    deployment,
    brokers,
    nodeNatsUrl: `ws://${at(ports.gateway)}/nats`,
    database: { servers: DATABASE_SERVERS.map((name) => at(ports[name])) },
    adminUrl,
    serviceUrl: (role, password) => databases.url(role, password, DATABASE),
    replicas: REPLICAS,
    gateways,
    door: at(ports.gateway),
    front: frontPart({ caddy: programs.caddy, folder, port: ports.gateway, gateways, brokers }),
    primary: databases.primary,
    // Before that, the loss of the primary would be the loss of the hub.
    whole: databases.standbyIsSynchronous,
  };
}
