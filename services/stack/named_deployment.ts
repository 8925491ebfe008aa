/**
 * A deployment on servers that others run, as the environment names it: that of compose.yaml.
 * @module
 */
import { z } from "zod";
import { envInteger, readConfig } from "../../shared/service/config.ts";
import { DATABASE } from "./database.ts";
import { type BrokerAddress, setUpFiles, setUpServiceDatabases } from "./setup.ts";

export interface NamedDeployment {
  /** Holds the secrets of all parts. */
  folder: string;
  /** The address of a database of the server, for its administrator. */
  adminUrl(database: string): string;
  /** The address of the hub's database for the role of a service. */
  serviceUrl(role: string, password: string): string;
  broker: BrokerAddress;
}

/**
 * Reads the environment; `undefined` when it names no deployment. Throws a `ConfigError` for what is
 * malformed, and when it names half of one.
 */
export function namedDeployment(): NamedDeployment | undefined {
  const config = readConfig({
    // Of the server's administrator, without a database: postgres://postgres:secret@postgres:5432
    SEXTANT_POSTGRES_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    // In its place, where the password is in a file that another program reads, too.
    SEXTANT_POSTGRES_HOST: z.string().optional(),
    SEXTANT_POSTGRES_PASSWORD: z.string().optional(),
    SEXTANT_SETUP_FOLDER: z.string().optional(),
    SEXTANT_NATS_PORT: envInteger.default(4222),
    SEXTANT_NATS_WEBSOCKET_PORT: envInteger.default(8080),
    SEXTANT_NATS_MONITOR_PORT: envInteger.default(8222),
  });
  const { SEXTANT_POSTGRES_HOST: host, SEXTANT_POSTGRES_PASSWORD: password } = config;
  const url = config.SEXTANT_POSTGRES_URL ??
    (host && `postgres://postgres:${encodeURIComponent(password ?? "")}@${host}`);
  const folder = config.SEXTANT_SETUP_FOLDER;
  if (url === undefined && folder === undefined) return undefined;
  if (url === undefined || folder === undefined) {
    throw new Error(
      "Cannot tell which hub is meant: the environment must name its database server " +
        "(SEXTANT_POSTGRES_URL) and its folder (SEXTANT_SETUP_FOLDER), or neither.",
    );
  }
  const { hostname, port } = new URL(url);
  return {
    folder,
    adminUrl: (database) => new URL(database, `${url}/`).href,
    serviceUrl: (role, password) =>
      `postgres://${role}:${password}@${hostname}:${port || 5432}/${DATABASE}`,
    broker: {
      host: "0.0.0.0",
      port: config.SEXTANT_NATS_PORT,
      websocketPort: config.SEXTANT_NATS_WEBSOCKET_PORT,
      monitorPort: config.SEXTANT_NATS_MONITOR_PORT,
    },
  };
}

/** Makes what is missing of a deployment; safe to do again. */
export async function setUpNamed({ folder, broker, ...addresses }: NamedDeployment): Promise<void> {
  await setUpServiceDatabases(await setUpFiles(folder, broker), addresses);
}
