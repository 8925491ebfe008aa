/**
 * A deployment on servers that others run, as the environment names it: that of compose.yaml.
 * @module
 */
import { DATABASE } from "./names.ts";
import { z } from "zod";
import { envInteger, readConfig } from "../../shared/service/config.ts";
import { clusterDatabaseUrl } from "./cluster/kind.ts";
import { POSTGRES_ADMIN } from "./postgres.ts";
import { type BrokerAddress, setUpFiles, setUpServiceDatabases } from "./setup.ts";

export interface NamedDeployment {
  /** Holds the secrets of all parts. */
  folder: string;
  /** The address of a database of the server, for its administrator. */
  adminUrl(database: string): string;
  /** The address of the hub's database for the role of a service. */
  serviceUrl(role: string, password: string): string;
  /** Each server of the broker. */
  brokers: BrokerAddress[];
}

/**
 * Reads the environment; `undefined` when it names no deployment. Throws a `ConfigError` for what
 * is malformed, and when it names half of one.
 */
export function namedDeployment(): NamedDeployment | undefined {
  const config = readConfig({
    // Of the server's administrator, without a database: postgres://postgres:secret@postgres:5432
    SEXTANT_POSTGRES_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    // In its place, where the password is in a file that another program reads, too: host:port, or
    // several with commas, of which one is the primary.
    SEXTANT_POSTGRES_HOST: z.string().optional(),
    SEXTANT_POSTGRES_PASSWORD: z.string().optional(),
    SEXTANT_SETUP_FOLDER: z.string().optional(),
    // The names of all servers of the broker, by which they reach each other.
    SEXTANT_NATS_SERVERS: z.string().regex(/^nats(,nats-\d)*$/).default("nats"),
    SEXTANT_NATS_ROUTE_PORT: envInteger.default(6222),
    SEXTANT_NATS_PORT: envInteger.default(4222),
    SEXTANT_NATS_WEBSOCKET_PORT: envInteger.default(8080),
    SEXTANT_NATS_MONITOR_PORT: envInteger.default(8222),
  });
  const { SEXTANT_POSTGRES_HOST: hosts, SEXTANT_POSTGRES_PASSWORD: password = "" } = config;
  const url = config.SEXTANT_POSTGRES_URL;
  const folder = config.SEXTANT_SETUP_FOLDER;
  const server = url !== undefined
    ? urlServer(url)
    : hosts
    ? hostServer(hosts.split(","), password)
    : undefined;
  if (server === undefined && folder === undefined) return undefined;
  if (server === undefined || folder === undefined) {
    throw new Error(
      "Cannot tell which hub is meant: the environment must name its database server " +
        "(SEXTANT_POSTGRES_URL) and its folder (SEXTANT_SETUP_FOLDER), or neither.",
    );
  }
  const names = config.SEXTANT_NATS_SERVERS.split(",");
  const routePort = config.SEXTANT_NATS_ROUTE_PORT;
  const routes = names.map((name) => `${name}:${routePort}`);
  return {
    folder,
    ...server,
    brokers: names.map((name) => ({
      name,
      host: "0.0.0.0",
      port: config.SEXTANT_NATS_PORT,
      websocketPort: config.SEXTANT_NATS_WEBSOCKET_PORT,
      monitorPort: config.SEXTANT_NATS_MONITOR_PORT,
      ...names.length > 1 ? { cluster: { port: routePort, routes } } : {},
    })),
  };
}

type Server = Pick<NamedDeployment, "adminUrl" | "serviceUrl">;

function urlServer(url: string): Server {
  const { hostname, port } = new URL(url);
  return {
    adminUrl: (database) => new URL(database, `${url}/`).href,
    serviceUrl: (role, password) =>
      `postgres://${role}:${password}@${hostname}:${port || 5432}/${DATABASE}`,
  };
}

function hostServer(servers: string[], adminPassword: string): Server {
  if (servers.length === 1) {
    return urlServer(`postgres://postgres:${encodeURIComponent(adminPassword)}@${servers[0]}`);
  }
  const url = (role: string, password: string, database: string) =>
    clusterDatabaseUrl(servers, { role, password, database });
  return {
    adminUrl: (database) => url(POSTGRES_ADMIN, adminPassword, database),
    serviceUrl: (role, password) => url(role, password, DATABASE),
  };
}

/** Makes what is missing of a deployment; safe to do again. */
export async function setUpNamed(
  { folder, brokers, ...addresses }: NamedDeployment,
): Promise<void> {
  await setUpServiceDatabases(await setUpFiles(folder, ...brokers), addresses);
}
