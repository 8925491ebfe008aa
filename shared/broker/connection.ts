/**
 * A connection to NATS: the one object that holds it, knows whether it is there, and moves it to a
 * new credential.
 *
 * The only module that imports the client library (`nats.ws`): what others need of its types stands
 * at the end. Every connection goes by WebSocket, reconnects for ever, and can be renewed: moved to
 * a new socket with a new credential while messages flow.
 * @module
 */
import {
  connect,
  type ConnectionOptions,
  Events,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamOptions,
  type Msg,
  type NatsConnection,
  type Payload,
  type PublishOptions,
  type RequestManyOptions,
  type RequestOptions,
  type Subscription,
  type SubscriptionOptions,
} from "nats.ws";
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { type ClientInternals, handOverClient } from "./hand_over.ts";
import { openSocket, type SocketHandle, type WebSocketWay } from "./nats_socket.ts";
import { signNonce } from "./signing.ts";

/** One connection to the broker. What is published while it is lost is lost, too. */
export interface BrokerConnection {
  publish(subject: string, payload?: Payload, options?: PublishOptions): void;
  subscribe(subject: string, options?: SubscriptionOptions): Subscription;
  /** Asks once; rejects when nobody listens or nobody answers in time: see `errors.ts`. */
  request(subject: string, payload?: Payload, options?: RequestOptions): Promise<Msg>;
  /** Asks all who listen. */
  requestMany(
    subject: string,
    payload?: Payload,
    options?: Partial<RequestManyOptions>,
  ): Promise<AsyncIterable<Msg>>;
  jetstream(options?: JetStreamOptions): JetStreamClient;
  jetstreamManager(): Promise<JetStreamManager>;
  /** Sends all that waits; resolves when the broker has read it. */
  flush(): Promise<void>;

  readonly connected: boolean;
  /** The addresses of all servers of the broker that it knows. */
  readonly addresses: readonly string[];
  /** Waits until it is connected, for at most so many milliseconds; returns whether it is. */
  whenConnected(timeoutMs: number): boolean | Promise<boolean>;
  /** Resolves once it is connected, to a signal that is aborted at the loss of the connection. */
  whileConnected(): Promise<AbortSignal>;
  /**
   * Tells whenever the connection is lost (false) or there again (true). Returns how to stop that.
   */
  watch(watcher: (connected: boolean) => void): () => void;

  /**
   * Moves to a new socket that logs in with the newest credential, while messages flow: none is
   * lost. When that fails the old socket stays, until the server closes it and the client
   * reconnects.
   */
  renew(): Promise<void>;
  /** Finishes what has been received, sends what waits, closes. For a shutdown; never throws. */
  drain(): Promise<void>;
  /** Closes at once. */
  close(): Promise<void>;
  isClosed(): boolean;
  /** Resolves when it is closed for good. */
  closed(): Promise<void>;
}

export interface Credential {
  /** The private nkey; stays in this process. */
  seed: string;
  /** The newest user JWT for it; asked at every log-in. */
  jwt: () => string;
}

export interface ConnectToBrokerOptions {
  /** `ws://host:port` or `wss://host/path`; of several servers all, with commas between them. */
  url: string;
  /** Shown in the broker's list of connections. */
  name: string;
  credential: Credential;
  /** Where answers arrive, for example `_INBOX.gateway`; see `subjects.inbox`. */
  inboxPrefix: string;
  log: Logger;
  /**
   * One of thousands that lose the broker at the same moment: waits longer and longer between its
   * attempts, and longer for an answer, so that they do not keep each other out when it is back.
   */
  oneOfMany?: boolean;
  /** Through a proxy, say, or to a server with a certificate of a private authority. */
  way?: WebSocketWay;
  /** Hears why an attempt to connect has failed; what it returns stands in the log. */
  explain?: (reason: string) => string;
}

const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_WAIT_MS = 250;
/** The longest pause between two attempts to reconnect. */
const RECONNECT_WITHIN_MS = 500;
const OF_MANY = { connectTimeoutMs: 10_000, reconnectWithinMs: 8000, pingIntervalMs: 5000 };
const DRAIN_MS = 5000;
/** A server that is gone without a word is noticed after three of these. */
const PING_INTERVAL_MS = 2000;
const WAITING_MS = 3000;
/** How often the log says that there is no connection yet. */
const STILL_WAITING_MS = 60_000;

/** Connects, waiting for the server as long as it takes, and from then on reconnects for ever. */
export async function connectToBroker(options: ConnectToBrokerOptions): Promise<BrokerConnection> {
  const { log, explain = (reason) => reason } = options;
  let handle: SocketHandle | undefined;
  const waiting = createWaiting(options);
  waiting.begin();
  try {
    const pace = createPace(options.oneOfMany ? OF_MANY.reconnectWithinMs : RECONNECT_WITHIN_MS);
    const nc = await connect(clientOptions(options, {
      onSocket(opened) {
        handle = opened;
        pace.attempt();
      },
      onTrouble: (reason) => waiting.because(explain(reason)),
      reconnectDelay: () => pace.pauseMs,
    }));
    const connection = brokerConnection(nc, {
      socket: () => handle,
      addresses: options.url.split(","),
      log,
    });
    connection.watch((connected) => {
      pace.startAgain();
      if (connected) waiting.end();
      else waiting.begin();
    });
    nc.closed().then(waiting.end);
    return connection;
  } finally {
    waiting.end();
  }
}

/**
 * How long to wait between two attempts to connect: at first a moment, then up to twice as long
 * each time, at random, since many wait for the same server. The client asks for the pause more
 * than once between two attempts.
 */
function createPace(withinMs: number) {
  let most = 0;
  const pace = {
    pauseMs: 0,
    attempt() {
      most = Math.min(withinMs, Math.max(2 * RECONNECT_WAIT_MS, 2 * most));
      pace.pauseMs = RECONNECT_WAIT_MS + Math.random() * (most - RECONNECT_WAIT_MS);
    },
    startAgain() {
      most = 0;
      pace.attempt();
    },
  };
  pace.startAgain();
  return pace;
}

/** Says in the log that the server is waited for, and why: soon, and now and then. */
function createWaiting({ url, log }: ConnectToBrokerOptions) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let details: Record<string, string> = { url };
  function say() {
    log.warn("NATS does not answer yet; waiting for it", details);
    timer = setTimeout(say, STILL_WAITING_MS);
  }
  return {
    begin() {
      clearTimeout(timer);
      details = { url };
      timer = setTimeout(say, WAITING_MS);
    },
    because(reason: string) {
      details = { url, reason };
    },
    end: () => clearTimeout(timer),
  };
}

function clientOptions(
  { url, name, credential, inboxPrefix, oneOfMany, way }: ConnectToBrokerOptions,
  { onSocket, onTrouble, reconnectDelay }: {
    onSocket: (opened: SocketHandle) => void;
    onTrouble: (reason: string) => void;
    reconnectDelay: () => number;
  },
): ConnectionOptions {
  const options: ConnectionOptions & { wsFactory: unknown } = {
    servers: url.split(","),
    // Whoever wrote the list has spread the replicas over the servers.
    noRandomize: true,
    name,
    inboxPrefix,
    // The library's own would sign in JavaScript, 20 ms of CPU for each log-in.
    authenticator(nonce) {
      const sig = nonce === undefined ? "" : signNonce(credential.seed, nonce);
      if (sig === undefined) onTrouble("what it asks to be signed is no nonce of a broker");
      return { jwt: credential.jwt(), nkey: "", sig: sig ?? "" };
    },
    timeout: oneOfMany ? OF_MANY.connectTimeoutMs : CONNECT_TIMEOUT_MS,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: reconnectDelay,
    // A log-in refused now may succeed with the next credential; else the client gives up at the
    // second refusal: https://github.com/nats-io/nats-architecture-and-design/issues/170
    ignoreAuthErrorAbort: true,
    // The other addresses a server gossips are not the ones a proxy lets through.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    pingInterval: oneOfMany ? OF_MANY.pingIntervalMs : PING_INTERVAL_MS,
    maxPingOut: 2,
    wsFactory: (to: string) => {
      const handle = openSocket(to, { way, onTrouble });
      onSocket(handle);
      return Promise.resolve({ socket: handle.socket, encrypted: to.startsWith("wss:") });
    },
  };
  return options;
}

function brokerConnection(
  nc: NatsConnection,
  { socket, addresses, log }: {
    socket: () => SocketHandle | undefined;
    addresses: string[];
    log: Logger;
  },
): BrokerConnection {
  const state = followState(nc, log);
  return {
    publish: (subject, payload, options) => nc.publish(subject, payload, options),
    subscribe: (subject, options) => nc.subscribe(subject, options),
    request: (subject, payload, options) => nc.request(subject, payload, options),
    requestMany: (subject, payload, options) => nc.requestMany(subject, payload, options),
    jetstream: (options) => nc.jetstream(options),
    // Its own check asks for the account's figures, which most credentials may not.
    jetstreamManager: () => nc.jetstreamManager({ checkAPI: false }),
    flush: () => nc.flush(),

    get connected() {
      return state.connected && !nc.isClosed();
    },
    addresses,
    whenConnected: state.whenConnected,
    whileConnected: state.whileConnected,
    watch: state.watch,

    async renew() {
      const handle = socket();
      if (!handle || nc.isClosed() || nc.isDraining()) {
        throw new Error("Cannot renew the connection: it is closed");
      }
      const client = handOverClient(nc as unknown as ClientInternals);
      await handle.handOver(client, CONNECT_TIMEOUT_MS);
    },
    drain: () => drain(nc, log),
    close: () => nc.close(),
    isClosed: () => nc.isClosed(),
    async closed() {
      await nc.closed();
    },
  };
}

/** Whether the connection is there, and who is told when that changes. */
function followState(nc: NatsConnection, log: Logger) {
  const watchers = new Set<(connected: boolean) => void>();
  let lost = new AbortController();
  let there = Promise.withResolvers<AbortSignal>();
  there.resolve(lost.signal);
  const state = { connected: true, watch, whenConnected, whileConnected: () => there.promise };

  function change(connected: boolean) {
    state.connected = connected;
    if (connected) {
      lost = new AbortController();
      there.resolve(lost.signal);
    } else {
      there = Promise.withResolvers();
      lost.abort(new Error("the connection to the broker was lost"));
    }
    for (const watcher of [...watchers]) watcher(connected);
  }

  async function follow() {
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

  function watch(watcher: (connected: boolean) => void): () => void {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  function whenConnected(timeoutMs: number): boolean | Promise<boolean> {
    if (state.connected || nc.isClosed()) return state.connected && !nc.isClosed();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const unwatch = watch(resolve);
    const timer = setTimeout(resolve, timeoutMs, false);
    return promise.finally(() => {
      clearTimeout(timer);
      unwatch();
    });
  }

  follow();
  nc.closed().then(() => {
    state.connected = false;
    lost.abort(new Error("the connection to the broker is closed"));
  });
  return state;
}

async function drain(nc: NatsConnection, log: Logger): Promise<void> {
  if (nc.isClosed()) return;
  // Without a server a drain would wait for one.
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<void>();
  const timer = setTimeout(giveUp, DRAIN_MS);
  try {
    await Promise.race([nc.drain(), gaveUp]);
  } catch (error) {
    log.warn("The connection to NATS did not drain", { reason: messageOf(error) });
  } finally {
    clearTimeout(timer);
  }
  if (!nc.isClosed()) await nc.close();
}

/** Whether `reply` is an inbox of one of these owners: where alone an answer may go. */
export function isInboxOf(
  reply: string | undefined,
  owners: readonly (string | number)[],
): reply is string {
  return reply !== undefined && owners.some((owner) => reply.startsWith(`_INBOX.${owner}.`));
}

// What messages and streams look like, and how they are asked for.
export {
  AckPolicy,
  DeliverPolicy,
  ErrorCode as NatsErrorCode,
  headers as newHeaders,
  nanos,
  NatsError,
  RequestStrategy,
  RetentionPolicy,
  StorageType,
} from "nats.ws";
export type {
  ConsumerConfig,
  ConsumerMessages,
  JetStreamClient,
  JetStreamManager,
  JsMsg,
  Msg,
  MsgHdrs,
  PublishOptions,
} from "nats.ws";
