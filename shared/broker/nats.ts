/**
 * Connections to NATS: the only module that knows how the client library is to be used.
 *
 * Every connection goes by WebSocket, reconnects for ever, and can be renewed: moved to a new socket with a new
 * credential while messages flow.
 * @module
 */
import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  Events,
  type NatsConnection,
} from "nats.ws";
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { type HandOverClient, openSocket, type SocketHandle } from "./nats_socket.ts";
import { signRaw } from "./signing.ts";

export interface Credential {
  /** The private nkey; stays in this process. */
  seed: string;
  /** The newest user JWT for it; asked at every log-in. */
  jwt: () => string;
}

export interface ConnectNatsOptions {
  /** `ws://host:port` or `wss://host/path`. */
  url: string;
  /** Shown in the broker's list of connections. */
  name: string;
  credential: Credential;
  /** Where answers arrive, for example `_INBOX.gateway`; see `subjects.inbox`. */
  inboxPrefix: string;
  log: Logger;
}

const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_WAIT_MS = 250;
const RECONNECT_JITTER_MS = 250;
const encoder = new TextEncoder();
const DRAIN_MS = 5000;
/** A server that is gone without a word is noticed after three of these. */
const PING_INTERVAL_MS = 5000;

/** What is known here of a connection beyond what the library tells. */
interface State {
  socket: () => SocketHandle | undefined;
  connected: boolean;
  watchers: Set<(connected: boolean) => void>;
}
const states = new WeakMap<NatsConnection, State>();

function stateOf(nc: NatsConnection): State {
  const state = states.get(nc);
  if (!state) throw new TypeError("Cannot use a connection that connectNats() did not make");
  return state;
}

/** Connects, waiting for the server as long as it takes, and from then on reconnects for ever. */
export async function connectNats(
  { url, name, credential, inboxPrefix, log }: ConnectNatsOptions,
): Promise<NatsConnection> {
  let handle: SocketHandle | undefined;
  const options: ConnectionOptions & { wsFactory: unknown } = {
    servers: url,
    name,
    inboxPrefix,
    // The library's own would sign in JavaScript, 20 ms of CPU for each log-in.
    authenticator: (nonce) => ({
      jwt: credential.jwt(),
      nkey: "",
      sig: nonce ? signRaw(credential.seed, encoder.encode(nonce)) : "",
    }),
    timeout: CONNECT_TIMEOUT_MS,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    // A log-in refused now may succeed with the next credential.
    ignoreAuthErrorAbort: true,
    // The other addresses a server gossips are not the ones a proxy lets through.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    wsFactory: (to: string) => {
      handle = openSocket(to);
      return Promise.resolve({ socket: handle.socket, encrypted: to.startsWith("wss:") });
    },
  };
  const waiting = setTimeout(
    () => log.warn("NATS does not answer yet; waiting for it", { url }),
    3000,
  );
  try {
    const nc = await connect(options);
    const state: State = { socket: () => handle, connected: true, watchers: new Set() };
    states.set(nc, state);
    followStatus(nc, state, log);
    return nc;
  } finally {
    clearTimeout(waiting);
  }
}

async function followStatus(nc: NatsConnection, state: State, log: Logger): Promise<void> {
  function change(connected: boolean) {
    state.connected = connected;
    for (const watcher of [...state.watchers]) watcher(connected);
  }
  // The client tells of every failed attempt as a new disconnection.
  for await (const { type, data, ...details } of nc.status()) {
    if (type === Events.Disconnect && state.connected && !nc.isDraining()) {
      log.warn("The connection to NATS is lost; reconnecting");
      change(false);
    } else if (type === Events.Reconnect && !state.connected) {
      log.info("Connected to NATS again");
      change(true);
    } else if (type === Events.Error) {
      log.warn("NATS refuses", { reason: data, ...details });
    }
  }
}

/** Tells whenever the connection is lost (false) or there again (true). Returns how to stop that. */
export function watchConnection(
  nc: NatsConnection,
  watcher: (connected: boolean) => void,
): () => void {
  const { watchers } = stateOf(nc);
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/**
 * Waits until the connection is there, for at most so many milliseconds; returns whether it is. What is published
 * without a connection is lost.
 */
export function whenConnected(nc: NatsConnection, timeoutMs: number): boolean | Promise<boolean> {
  const state = stateOf(nc);
  if (state.connected || nc.isClosed()) return state.connected && !nc.isClosed();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const unwatch = watchConnection(nc, resolve);
  const timer = setTimeout(resolve, timeoutMs, false);
  return promise.finally(() => {
    clearTimeout(timer);
    unwatch();
  });
}

// What nats.ws does not show, and a hand-over needs.
interface Internals {
  options: { authenticator: Authenticator; name: string };
  protocol: {
    transport: { lang: string; version: string };
    subscriptions: {
      all(): { subject: string; queue?: string; sid: number; isDraining(): boolean }[];
    };
  };
}

/**
 * Moves the connection to a new socket that logs in with the newest credential, while messages flow: none is
 * lost. When that fails the old socket stays, until the server closes it and the client reconnects.
 */
export async function renewConnection(nc: NatsConnection): Promise<void> {
  const handle = stateOf(nc).socket();
  if (!handle || nc.isClosed() || nc.isDraining()) {
    throw new Error("Cannot renew the connection: it is closed");
  }
  const { options, protocol } = nc as unknown as Internals;
  const client: HandOverClient = {
    connectLine(nonce) {
      const { lang, version } = protocol.transport;
      const claims = {
        protocol: 1,
        lang,
        version,
        name: options.name,
        verbose: false,
        pedantic: false,
        headers: true,
        no_responders: true,
        ...options.authenticator(nonce),
      };
      return `CONNECT ${JSON.stringify(claims)}\r\n`;
    },
    subscriptions: () => protocol.subscriptions.all().filter((one) => !one.isDraining()),
    flush: () => nc.flush(),
  };
  await handle.handOver(client, CONNECT_TIMEOUT_MS);
}

/** Whether `reply` is an inbox of one of these owners: where alone an answer may go. */
export function isInboxOf(
  reply: string | undefined,
  owners: readonly (string | number)[],
): reply is string {
  return reply !== undefined && owners.some((owner) => reply.startsWith(`_INBOX.${owner}.`));
}

/** Finishes what has been received, sends what waits, closes. For a shutdown; never throws. */
export async function drain(nc: NatsConnection, log?: Logger): Promise<void> {
  if (nc.isClosed()) return;
  // Without a server a drain would wait for one.
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<void>();
  const timer = setTimeout(giveUp, DRAIN_MS);
  try {
    await Promise.race([nc.drain(), gaveUp]);
  } catch (error) {
    log?.warn("The connection to NATS did not drain", { reason: messageOf(error) });
  } finally {
    clearTimeout(timer);
  }
  if (!nc.isClosed()) await nc.close();
}
