/**
 * The configuration file of nats-server.
 * @module
 */
import { MAX_PAYLOAD } from "./limits.ts";
import { appAccount, systemAccount, type Trust } from "./trust.ts";

/** A server as one of several that are one broker. */
export interface BrokerCluster {
  /** Another one than that of every other server. */
  serverName: string;
  /** Where the others reach this server. */
  port: number;
  /** `host:port` of every server of the broker; its own may be among them. */
  routes: string[];
  /** With which the servers know each other. */
  password: string;
}

export interface NatsServerConfigOptions {
  trust: Trust;
  host?: string;
  port: number;
  websocketPort: number;
  /** Serves /healthz and the like, on the loopback interface only. */
  monitorPort?: number;
  /** Folder of JetStream's files. */
  storeDir: string;
  /** Folder of account claims, with revocations. */
  resolverDir: string;
  /**
   * How often the server asks its clients whether they are there: a dead link shows after three
   * times this.
   */
  pingInterval?: string;
  /** What all streams may take on the disk; the events take a part of it at most. */
  maxFileStore?: string;
  cluster?: BrokerCluster | undefined;
}

/**
 * How often a server compares the accounts' claims with another's: so long may one that was away
 * take a credential that was withdrawn meanwhile.
 */
const COMPARE_CLAIMS = { alone: "2m", together: "2s" };
const CLUSTER_USER = "sextant";

/** The text of nats-server's configuration file. */
export function natsServerConfig({
  trust,
  host = "127.0.0.1",
  port,
  websocketPort,
  monitorPort,
  storeDir,
  resolverDir,
  pingInterval = "2s",
  maxFileStore = "20GB",
  cluster,
}: NatsServerConfigOptions): string {
  const q = JSON.stringify;
  const app = appAccount(trust);
  const system = systemAccount(trust);
  return `server_name: ${q(cluster?.serverName ?? "sextant")}
host: ${q(host)}
port: ${port}
${monitorPort ? `http: "127.0.0.1:${monitorPort}"\n` : ""}\
max_payload: ${MAX_PAYLOAD}
ping_interval: ${q(pingInterval)}
ping_max: 2
authorization {
  timeout: 10
}
websocket {
  host: ${q(host)}
  port: ${websocketPort}
  no_tls: true
  handshake_timeout: "10s"
}
jetstream {
  store_dir: ${q(storeDir)}
  max_memory_store: 256MB
  max_file_store: ${maxFileStore}
}
operator: ${trust.operatorJwt}
system_account: ${system}
resolver {
  type: full
  dir: ${q(resolverDir)}
  allow_delete: false
  interval: ${q(cluster ? COMPARE_CLAIMS.together : COMPARE_CLAIMS.alone)}
}
resolver_preload {
  ${system}: ${trust.systemJwt}
  ${app}: ${trust.appJwt}
}
${cluster ? clusterConfig(host, cluster) : ""}`;
}

function clusterConfig(host: string, { port, routes, password }: BrokerCluster): string {
  const urls = routes.map((route) => `nats-route://${CLUSTER_USER}:${password}@${route}`);
  // What it would tell clients of the others is not asked for: they have a list of their own.
  return `cluster {
  name: sextant
  host: ${JSON.stringify(host)}
  port: ${port}
  no_advertise: true
  authorization {
    user: ${CLUSTER_USER}
    password: ${JSON.stringify(password)}
    timeout: 5
  }
  routes: ${JSON.stringify(urls)}
}
`;
}
