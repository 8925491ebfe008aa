/**
 * The configuration file of nats-server.
 * @module
 */
import { MAX_PAYLOAD } from "./limits.ts";
import { appAccount, systemAccount, type Trust } from "./trust.ts";

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
}

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
}: NatsServerConfigOptions): string {
  const q = JSON.stringify;
  const app = appAccount(trust);
  const system = systemAccount(trust);
  return `server_name: sextant
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
  interval: "2m"
}
resolver_preload {
  ${system}: ${trust.systemJwt}
  ${app}: ${trust.appJwt}
}
`;
}
