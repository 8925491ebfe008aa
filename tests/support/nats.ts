/**
 * A real nats-server for tests, as in production: operator mode, JetStream, WebSocket. One server
 * serves all files of a run; each caller gets an account of its own there, which sees and hears
 * nothing of the others. Who kills the server, or sets it up in another way, starts one of its own.
 * @module
 */
import { encodeAccount, encodeUser } from "@nats-io/jwt";
import { connect, type ConnectionOptions, jwtAuthenticator } from "nats.ws";
import { z } from "zod";
import { freePort } from "../../services/stack/ports.ts";
import { findNatsServer, startNatsServer } from "../../services/stack/nats_server.ts";
import type { ManagedProcess } from "../../services/stack/process.ts";
import { type BrokerConnection, connectToBroker } from "../../shared/broker/connection.ts";
import { openSocket } from "../../shared/broker/nats_socket.ts";
import type { SystemService } from "../../shared/broker/rights.ts";
import { natsServerConfig } from "../../shared/broker/server_config.ts";
import { keyPair, type KeyPairText, newUserKey } from "../../shared/broker/signing.ts";
import { type ServiceName, subjects } from "../../shared/broker/subjects.ts";
import {
  type IssuedCredential,
  issueEnrolmentCredential,
  issueNodeCredential,
  issueServiceCredential,
  issueSystemCredential,
  newTrust,
  type Trust,
  trustSchema,
} from "../../shared/broker/trust.ts";
import { parseJwtSegment } from "../../shared/node_protocol/credential.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import { CACHE_FOLDER, temporaryFolder } from "./folders.ts";
import { hearRefusals, type Refusal } from "./refusals.ts";
import { shareServer } from "./shared.ts";

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
  /** Path of the file with which a service enrols. */
  enrolmentFile(service: ServiceName): Promise<string>;
  system(service: SystemService): Promise<TestParty>;
  /** Somebody who may do anything in the account. */
  owner(): Promise<TestParty>;
  /** Logs in once and leaves; rejects with what the server says against it. */
  tryLogin(key: KeyPairText, credential: IssuedCredential): Promise<void>;
  /** Closes all connections made here; stops the server if it is the caller's own. */
  stop(): Promise<void>;
}

export interface OwnNats extends TestNats {
  /** Kills the server and waits until it is gone. */
  kill9(): Promise<void>;
  /** Removes JetStream's files; the server must not be running. */
  loseStreams(): Promise<void>;
  /** Changes the server's configuration, for its next start. */
  configure(change: (config: string) => string): Promise<void>;
  /** Starts the server again, on the same ports and folder. */
  start(): Promise<void>;
}

export interface TestNatsOptions {
  log?: Logger;
}

export interface OwnNatsOptions {
  pingInterval?: string;
  maxFileStore?: string;
  /** Path of another nats-server than the one of this machine. */
  program?: string;
}

const serverSchema = z.object({ url: z.string(), trust: trustSchema });
type Server = z.infer<typeof serverSchema>;

/** Names, in the environment, the server that all files of a run share. */
export const SHARED_NATS = "SEXTANT_TEST_NATS";

/** A server of the caller's own, in a temporary folder. */
export async function startOwnNats(
  { log = silentLogger, ...options }: TestNatsOptions & OwnNatsOptions = {},
): Promise<OwnNats> {
  const { server, kill9, start, loseStreams, configure, stop } = await startServer(options);
  return { ...partiesOf(server, log, stop), kill9, start, loseStreams, configure };
}

/** An account on the server of this run; without one, on a server that stops with its last user. */
export async function startTestNats({ log = silentLogger }: TestNatsOptions = {}): Promise<
  TestNats
> {
  const given = Deno.env.get(SHARED_NATS);
  if (given) {
    const server = serverSchema.parse(JSON.parse(given));
    return partiesOf(await newAccount(server), log, () => Promise.resolve());
  }
  const { server } = await shared.acquire();
  return partiesOf(await newAccount(server), log, shared.release);
}

const shared = shareServer(() => startServer());

/** Starts the server that the test files of a run find by the variable in `env`. */
export async function startSharedNats(): Promise<
  { env: Record<string, string>; stop(): Promise<void> }
> {
  const { server, stop } = await startServer();
  return { env: { [SHARED_NATS]: JSON.stringify(server) }, stop };
}

async function startServer(
  { pingInterval = "2s", maxFileStore = "100TB", program: given }: OwnNatsOptions = {},
) {
  const program = given ?? await findNatsServer(CACHE_FOLDER);
  const folder = await temporaryFolder();
  const trust = await newTrust();
  const port = freePort();
  const websocketPort = freePort({ except: [port] });
  const configPath = `${folder.path}/nats.conf`;
  const config = natsServerConfig({
    trust,
    port,
    websocketPort,
    storeDir: `${folder.path}/jetstream`,
    resolverDir: `${folder.path}/claims`,
    pingInterval,
    // Each test has an account with a stream of events, and the broker reserves what each may take.
    maxFileStore,
  });
  await Deno.writeTextFile(configPath, config);
  let running: ManagedProcess;
  async function start() {
    running = await startNatsServer(program, configPath);
  }
  await start();
  return {
    server: { url: `ws://127.0.0.1:${websocketPort}`, trust },
    start,
    async configure(change: (config: string) => string) {
      await Deno.writeTextFile(configPath, change(config));
    },
    loseStreams: () => Deno.remove(`${folder.path}/jetstream`, { recursive: true }),
    async kill9() {
      running.signal("SIGKILL");
      await running.exited;
    },
    async stop() {
      await running.stop();
      await folder.remove();
    },
  };
}

/** The same server, with a new account that takes the place of the one it was started with. */
async function newAccount({ url, trust: { operator, system, operatorJwt, systemJwt } }: Server) {
  const made = await newTrust();
  // The account of a new installation as it is, but signed by this server's operator.
  const { nats } = accountClaims.parse(parseJwtSegment(made.appJwt.split(".")[1]!));
  const appJwt = await encodeAccount("sextant", keyPair(made.app), nats, {
    signer: keyPair(operator),
  });
  const trust: Trust = { ...made, operator, system, operatorJwt, systemJwt, appJwt };
  const setter = partiesOf({ url, trust }, silentLogger, () => Promise.resolve());
  const { nc } = await setter.system("identity");
  const answer = (await nc.request("$SYS.REQ.CLAIMS.UPDATE", appJwt)).json();
  if (z.looseObject({ error: z.unknown().optional() }).parse(answer).error) {
    throw new Error(`Cannot make an account for a test: ${JSON.stringify(answer)}`);
  }
  await setter.stop();
  return { url, trust };
}

const accountClaims = z.object({ nats: z.looseObject({}) });

/** Those who may log in to the account of `trust`. */
function partiesOf({ url, trust }: Server, log: Logger, stopServer: () => Promise<void>): TestNats {
  const open: BrokerConnection[] = [];
  const folders: Awaited<ReturnType<typeof temporaryFolder>>[] = [];

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
    async enrolmentFile(name) {
      const folder = await temporaryFolder();
      folders.push(folder);
      const { seed, publicKey } = newUserKey();
      const { jwt } = await issueEnrolmentCredential(trust, name, publicKey);
      const path = `${folder.path}/${name}.json`;
      await Deno.writeTextFile(path, JSON.stringify({ seed, jwt }));
      return path;
    },
    system: (name) =>
      party(`${name}-system`, name, (key) => issueSystemCredential(trust, name, key, 3600)),
    owner: () =>
      party("owner", "owner", async (key) => ({
        jwt: await encodeUser("owner", key, keyPair(trust.app), {}, {}),
        expiresAt: new Date(8.64e15),
      })),
    tryLogin: (key, { jwt }) => tryLogin(url, key, jwt),
    async stop() {
      await Promise.all(open.map((nc) => nc.close()));
      await Promise.all(folders.map((folder) => folder.remove()));
      await stopServer();
    },
  };
}

/** Logs in once and leaves; rejects with what the server says against it. */
export async function tryLogin(url: string, { seed }: { seed: string }, jwt: string) {
  const options: ConnectionOptions & { wsFactory: unknown } = {
    servers: url,
    authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(seed)),
    reconnect: false,
    wsFactory: (to: string) => Promise.resolve({ socket: openSocket(to).socket }),
  };
  await (await connect(options)).close();
}
