/**
 * A real nats-server for tests, as in production: operator mode, JetStream, WebSocket; on free ports, in a
 * temporary folder.
 * @module
 */
import { connect, type ConnectionOptions, jwtAuthenticator } from "nats.ws";
import { freePort } from "../../services/stack/ports.ts";
import { findNatsServer, startNatsServer } from "../../services/stack/nats_server.ts";
import type { ManagedProcess } from "../../services/stack/process.ts";
import type { SystemService } from "../../shared/broker/rights.ts";
import {
  type IssuedCredential,
  issueEnrolmentCredential,
  issueNodeCredential,
  issueServiceCredential,
  issueSystemCredential,
  newTrust,
  type Trust,
} from "../../shared/broker/trust.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import { type BrokerConnection, connectToBroker } from "../../shared/broker/connection.ts";
import { openSocket } from "../../shared/broker/nats_socket.ts";
import { natsServerConfig } from "../../shared/broker/server_config.ts";
import { type KeyPairText, newUserKey } from "../../shared/broker/signing.ts";
import { type ServiceName, subjects } from "../../shared/broker/subjects.ts";
import { CACHE_FOLDER, temporaryFolder } from "../harness.ts";
import { hearRefusals, type Refusal } from "./refusals.ts";

/** A connection, and the key and credential behind it. */
export interface TestParty {
  nc: BrokerConnection;
  key: KeyPairText;
  credential: IssuedCredential;
  /** What the broker has said against it. */
  refusals: Refusal[];
}

export interface TestNats {
  trust: Trust;
  /** Address of the WebSocket. */
  url: string;
  service(service: ServiceName, ttlSeconds?: number): Promise<TestParty>;
  node(node: number, ttlSeconds?: number): Promise<TestParty>;
  enrolment(service: ServiceName): Promise<TestParty>;
  system(service: SystemService): Promise<TestParty>;
  /** Logs in once and leaves; rejects with what the server says against it. */
  tryLogin(key: KeyPairText, credential: IssuedCredential): Promise<void>;
  /** Kills the server and waits until it is gone. */
  kill9(): Promise<void>;
  /** Removes JetStream's files; the server must not be running. */
  loseStreams(): Promise<void>;
  /** Starts the server again, on the same ports and folder. */
  start(): Promise<void>;
  /** Closes all connections made here, stops the server and removes its folder. */
  stop(): Promise<void>;
}

export async function startTestNats(
  { pingInterval = "2s", log = silentLogger }: { pingInterval?: string; log?: Logger } = {},
): Promise<TestNats> {
  const program = await findNatsServer(CACHE_FOLDER);
  const folder = await temporaryFolder();
  const trust = await newTrust();
  const port = freePort();
  const websocketPort = freePort({ except: [port] });
  const url = `ws://127.0.0.1:${websocketPort}`;
  const configPath = `${folder.path}/nats.conf`;
  const config = natsServerConfig({
    trust,
    port,
    websocketPort,
    storeDir: `${folder.path}/jetstream`,
    resolverDir: `${folder.path}/claims`,
    pingInterval,
  });
  await Deno.writeTextFile(configPath, config);
  const open: BrokerConnection[] = [];
  let server: ManagedProcess;

  async function start() {
    server = await startNatsServer(program, configPath);
  }
  async function party(
    name: string,
    inbox: string | number,
    issue: (publicKey: string) => Promise<IssuedCredential>,
  ): Promise<TestParty> {
    const key = newUserKey();
    const credential = await issue(key.publicKey);
    const hearing = hearRefusals(log);
    const nc = await connectToBroker({
      url,
      name,
      credential: { seed: key.seed, jwt: () => credential.jwt },
      inboxPrefix: subjects.inbox(inbox),
      log: hearing.log,
    });
    open.push(nc);
    return { nc, key, credential, refusals: hearing.refusals };
  }

  await start();
  return {
    trust,
    url,
    service: (name, ttl = 3600) =>
      party(name, name, (key) => issueServiceCredential(trust, name, key, ttl)),
    node: (node, ttl = 3600) =>
      party(`node ${node}`, node, (key) => issueNodeCredential(trust, node, key, ttl)),
    enrolment: (name) =>
      party(
        `enrol-${name}`,
        `enrol-${name}`,
        (key) => issueEnrolmentCredential(trust, name, key),
      ),
    system: (name) =>
      party(`${name}-system`, name, (key) => issueSystemCredential(trust, name, key, 3600)),
    start,
    async tryLogin(key, { jwt }) {
      const authenticator = jwtAuthenticator(jwt, new TextEncoder().encode(key.seed));
      const options: ConnectionOptions & { wsFactory: unknown } = {
        servers: url,
        authenticator,
        reconnect: false,
        wsFactory: (to: string) => Promise.resolve({ socket: openSocket(to).socket }),
      };
      await (await connect(options)).close();
    },
    loseStreams: () => Deno.remove(`${folder.path}/jetstream`, { recursive: true }),
    async kill9() {
      server.signal("SIGKILL");
      await server.exited;
    },
    async stop() {
      await Promise.all(open.map((nc) => nc.close()));
      await server.stop();
      await folder.remove();
    },
  };
}
