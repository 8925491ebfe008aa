/**
 * The socket under a NATS connection, which can be exchanged for a new one without losing a
 * message.
 *
 * nats-server closes a connection when its credential runs out, and what is under way then is lost:
 * a request to a service, an answer to one. So shortly before, a second socket logs in with the new
 * credential and takes over: it subscribes to all the first one has; then the first one
 * unsubscribes and is read to its end; only then does the second one speak and listen. Messages
 * stay in order; one that arrives in the instant when both are subscribed may come twice, unless
 * its subscription has a queue group.
 * @module
 */
import type { Agent } from "node:http";
import NodeWebSocket from "ws";
import { createLoginFirst } from "./login_first.ts";
import { writeTogether } from "./write_together.ts";

/** The package brings no types; it keeps to the standard's interface, with these additions. */
interface Socket extends WebSocket {
  on(event: "error", listener: () => void): void;
  terminate(): void;
}
const Socket = NodeWebSocket as unknown as new (
  url: string,
  options: { perMessageDeflate: boolean } & WebSocketWay,
) => Socket;

/** How a WebSocket gets to its server: options of `ws`, which are those of `node:https`. */
export interface WebSocketWay {
  /** What connects, for example through a proxy. */
  agent?: Agent;
  /** The authorities that are trusted in place of the public ones, in PEM. */
  ca?: string[];
}

export interface OpenSocketOptions {
  way?: WebSocketWay | undefined;
  /** Told why a connection cannot be had, or what the server says against it. */
  onTrouble?: ((reason: string) => void) | undefined;
}

/** The part of a WebSocket that nats.ws uses. */
export interface ExchangeableSocket {
  binaryType: string;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null;
  onclose: ((event: { wasClean: boolean; reason: string; code: number }) => void) | null;
  onerror: ((event: { message: string; error: unknown }) => void) | null;
  readonly bufferedAmount: number;
  send(data: ArrayBufferLike): void;
  close(code?: number, reason?: string): void;
}

/** What the new socket needs to know of the client above it. */
export interface HandOverClient {
  /** The CONNECT line for this server nonce. */
  connectLine(nonce: string | undefined): string;
  /** Every subscription now. */
  subscriptions(): { subject: string; queue?: string | undefined; sid: number }[];
  /** Sends all that waits, and a PING; resolves when its PONG has been read. */
  flush(): Promise<void>;
}

export interface SocketHandle {
  socket: ExchangeableSocket;
  /** Exchanges the socket below. Rejects, changing nothing, when the new one cannot log in. */
  handOver(client: HandOverClient, timeoutMs: number): Promise<void>;
  readonly closed: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** With which `-ERR` begins, and nothing else that a server says. */
const MINUS = 45;

// Deno's own WebSocket leaves Nagle's algorithm on, which costs 45 ms whenever writes follow one
// another.
function open(url: string, way: WebSocketWay = {}): Socket {
  const socket = new Socket(url, { perMessageDeflate: false, ...way });
  socket.binaryType = "arraybuffer";
  // Also after the last handler is gone, an error must not end the process.
  socket.on("error", () => {});
  return socket;
}

/**
 * Opens a socket for nats.ws. Never throws and never rejects: nats.ws could not recover from that.
 */
export function openSocket(
  url: string,
  { way, onTrouble = () => {} }: OpenSocketOptions = {},
): SocketHandle {
  let current = open(url, way);
  /** Set while the old socket is read to its end: what the client sends meanwhile. */
  let held: ArrayBufferLike[] | undefined;
  let closed = false;

  const { send, flush } = writeTogether((bytes) => {
    if (current.readyState === WebSocket.OPEN) current.send(bytes);
  });
  const socket: ExchangeableSocket = {
    binaryType: "arraybuffer",
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    get bufferedAmount() {
      flush();
      return current.bufferedAmount;
    },
    send(data) {
      if (held) held.push(data);
      else send(data);
    },
    close(code, reason) {
      closed = true;
      flush();
      current.close(code, reason?.slice(0, 100));
    },
  };

  const { take, inOrder } = createLoginFirst((data) => socket.onmessage?.({ data }));

  function attach(to: Socket) {
    const ifCurrent = (event: () => void) => inOrder(() => to === current && event());
    to.onopen = (event) => socket.onopen?.(event);
    to.onmessage = ({ data }) =>
      ifCurrent(() => {
        const bytes = new Uint8Array(data as ArrayBuffer);
        if (bytes[0] === MINUS) onTrouble(decoder.decode(bytes.subarray(0, 200)).trim());
        take(bytes);
      });
    to.onerror = (event) => {
      const { message, error } = event as ErrorEvent;
      onTrouble(closed ? "it did not answer in time" : message);
      ifCurrent(() => socket.onerror?.({ message, error }));
    };
    to.onclose = ({ wasClean, reason, code }) => {
      if (to === current) closed = true;
      ifCurrent(() => {
        // Before the first message nats.ws waits for that or an error, and overlooks a close.
        socket.onerror?.({ message: "the server closed the connection", error: null });
        socket.onclose?.({ wasClean, reason, code });
      });
    };
  }
  attach(current);

  async function handOver(client: HandOverClient, timeoutMs: number): Promise<void> {
    if (closed || held) throw new Error("Cannot hand over: the connection is not at rest");
    const next = await login(open(url, way), client, timeoutMs);
    if (closed || next.socket.readyState !== WebSocket.OPEN) {
      next.socket.terminate();
      throw new Error("Cannot hand over: a socket closed meanwhile");
    }
    const old = current;
    const read = moveSubscriptions(client, { from: old, to: next, flush });
    // At once: what the client sends from now on is for the new socket.
    held = [];
    try {
      await orTerminate(old, read, timeoutMs);
    } catch (error) {
      held = undefined;
      next.socket.terminate();
      throw new Error("Cannot hand over: the connection was lost meanwhile", { cause: error });
    }
    const waiting = held;
    held = undefined;
    current = next.socket;
    attach(current);
    old.close(1000);
    for (const data of next.unread()) socket.onmessage?.({ data });
    for (const data of waiting) socket.send(data);
    // It may have closed before anyone listened.
    if (current.readyState !== WebSocket.OPEN) {
      closed = true;
      socket.onclose?.({ wasClean: false, reason: "the new connection was lost", code: 1006 });
    }
  }

  return {
    socket,
    handOver,
    get closed() {
      return closed;
    },
  };
}

/**
 * Lets the new socket listen to what the client listens to now, and the old one to nothing more;
 * `flush` sends what the client has for the old one. Resolves when that has been read to its end.
 * Nothing waits in between: the list of subscriptions must be the one the server knows.
 */
function moveSubscriptions(
  client: HandOverClient,
  { from, to, flush }: { from: Socket; to: LoggedIn; flush: () => void },
): Promise<void> {
  client.flush().catch(() => {});
  flush();
  const now = client.subscriptions();
  const changes = differences(to.subscribed, now);
  if (changes.length > 0) to.socket.send(changes);
  from.send(encoder.encode(now.map(({ sid }) => `UNSUB ${sid}\r\n`).join("")));
  const read = client.flush();
  flush();
  return read;
}

/**
 * Waits for what comes over this socket; when it does not come in time the socket ends, and so it
 * fails.
 */
async function orTerminate(socket: Socket, done: Promise<void>, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => socket.terminate(), timeoutMs);
  try {
    await done;
  } finally {
    clearTimeout(timer);
  }
}

type Subscribed = ReturnType<HandOverClient["subscriptions"]>;

function subscribeLines(subscriptions: Subscribed): string {
  return subscriptions.map(({ subject, queue, sid }) =>
    `SUB ${subject} ${queue ? `${queue} ` : ""}${sid}\r\n`
  ).join("");
}

function differences(before: Subscribed, now: Subscribed): Uint8Array<ArrayBuffer> {
  const known = new Set(before.map(({ sid }) => sid));
  const wanted = new Set(now.map(({ sid }) => sid));
  const gone = before.filter(({ sid }) => !wanted.has(sid));
  return encoder.encode(
    subscribeLines(now.filter(({ sid }) => !known.has(sid))) +
      gone.map(({ sid }) => `UNSUB ${sid}\r\n`).join(""),
  );
}

interface LoggedIn {
  socket: Socket;
  subscribed: Subscribed;
  /** What the server sent after the log-in; from now on messages go to whoever attaches. */
  unread(): ArrayBuffer[];
}

/** Logs in over a new socket and subscribes; resolves when the server has confirmed it. */
async function login(
  socket: Socket,
  client: HandOverClient,
  timeoutMs: number,
): Promise<LoggedIn> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let subscribed: Subscribed = [];
  let confirmed = false;
  let greeted = false;
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array();

  socket.onmessage = ({ data }) => {
    bytes = join(bytes, new Uint8Array(data as ArrayBuffer));
    if (confirmed) return;
    const answer = withoutAnswer(bytes);
    if (!answer) return;
    if (answer.line.startsWith("-ERR")) return reject(new Error(answer.line));
    if (answer.line === "PONG") {
      confirmed = true;
      bytes = answer.rest;
      return resolve();
    }
    if (greeted) return;
    greeted = true;
    bytes = answer.rest;
    const { nonce } = JSON.parse(answer.line.slice("INFO".length)) as { nonce?: string };
    subscribed = client.subscriptions();
    socket.send(
      encoder.encode(`${client.connectLine(nonce)}${subscribeLines(subscribed)}PING\r\n`),
    );
  };
  socket.onerror = (event) => reject(new Error((event as ErrorEvent).message));
  socket.onclose = () => reject(new Error("the server closed the connection"));
  const timer = setTimeout(() => reject(new Error("the server did not answer")), timeoutMs);
  try {
    await promise;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { socket, subscribed, unread: () => bytes.length > 0 ? [bytes.buffer] : [] };
}

/**
 * Finds the first line that answers us (INFO, PONG or -ERR) and returns it with the bytes around
 * it, in which messages that came before it stay. `undefined` while it has not come.
 */
function withoutAnswer(
  bytes: Uint8Array<ArrayBuffer>,
): { line: string; rest: Uint8Array<ArrayBuffer> } | undefined {
  for (let start = 0;;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return undefined;
    const line = decoder.decode(bytes.subarray(start, end - 1));
    if (/^(INFO |PONG$|-ERR)/.test(line)) {
      return { line, rest: join(bytes.subarray(0, start), bytes.subarray(end + 1)) };
    }
    const size = /^H?MSG .* (\d+)$/.exec(line);
    start = end + 1 + (size ? Number(size[1]) + 2 : 0);
    if (start > bytes.length) return undefined;
  }
}

function join(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
