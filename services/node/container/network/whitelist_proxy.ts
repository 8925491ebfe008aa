/**
 * A forward proxy to the web for one container (CONNECT, and `GET http://…`): the one way out that
 * the owner's `whitelist` opens. It goes the way of the agent itself: through the owner's own proxy
 * where there is one.
 * @module
 */
import { lookup } from "node:dns/promises";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { connect, isIPv6, type Socket } from "node:net";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import { networkReason } from "../../hub/network_reason.ts";
import type { WayOut } from "../../hub/way_out.ts";
import { judge, type JudgeOptions, type Ruling, type Whitelist } from "./whitelist.ts";

/** Targets of one container whose refusal is told; a program could make them up without end. */
const MOST_TOLD = 100;

/** What concerns one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "proxy-connection",
  "proxy-authorization",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export interface StartWhitelistProxyOptions extends Partial<Pick<JudgeOptions, "resolve" | "own">> {
  /** Path of the socket to listen at. */
  socket: string;
  whitelist: Whitelist;
  wayOut: Pick<WayOut, "proxyOf" | "socketOptions" | "tunnel">;
  log: Logger;
}

/** Starts the proxy; returns what ends it and all its connections. */
export async function startWhitelistProxy(
  { socket, whitelist, wayOut, log, resolve = addressesOf, own = ownAddresses }:
    StartWhitelistProxyOptions,
): Promise<() => void> {
  const tools = createTools({ whitelist, wayOut, log, resolve, own });
  const open = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    forward(incoming, answer, tools).catch((error) => {
      log.error("The proxy to the web failed", { error });
      answer.destroy();
    });
  });
  server.on("connect", (incoming: IncomingMessage, inside: Socket, first: Uint8Array) => {
    open.add(inside);
    inside.on("close", () => open.delete(inside));
    tunnel(incoming, { ...tools, inside, first, open }).catch((error) => {
      log.error("The proxy to the web failed", { error });
      inside.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  return function close() {
    server.close();
    server.closeAllConnections();
    for (const one of open) one.destroy();
  };
}

/** What a program asks for; `host` is as it names it. */
interface Wanted {
  protocol: "http:" | "https:";
  host: string;
  port: number;
}

interface Tools {
  wayOut: StartWhitelistProxyOptions["wayOut"];
  /** Decides, and tells the log of refusals. */
  decide(wanted: Wanted): Promise<Ruling>;
  /**
   * Tells the log why the owner's proxy does not lead to `url`; returns what the program is told.
   */
  explain(url: string, error: unknown): string;
}

function createTools(
  { whitelist, wayOut, log, resolve, own }: Required<Omit<StartWhitelistProxyOptions, "socket">>,
): Tools {
  const told = new Set<string>();
  /** Of each target once. */
  function tell(message: string, target: string, reason: string): void {
    if (told.has(target) || told.size >= MOST_TOLD) return;
    told.add(target);
    log.warn(message, { target, reason });
  }
  return {
    wayOut,
    async decide({ protocol, host, port }) {
      const isProxied = (host: string) =>
        wayOut.proxyOf(addressOf({ protocol, host, port })) !== undefined;
      const options = { whitelist, resolve, own, isProxied };
      const ruling = await judge(host, port, options).catch((error) => ({
        refused: `it cannot be resolved: ${messageOf(error)}`,
      }));
      if ("refused" in ruling) {
        tell(
          "A container is refused a connection",
          `${host.slice(0, 200)}:${port}`,
          ruling.refused,
        );
      }
      return ruling;
    },
    explain(url, error) {
      const reason = networkReason(messageOf(error), wayOut.proxyOf(url));
      tell("The proxy does not lead a container to what it may reach", url, reason);
      return "this site's own proxy does not lead there; the node's log says why";
    },
  };
}

function addressOf({ protocol, host, port }: Wanted): string {
  return `${protocol}//${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** `GET http://…` and its like: asks the server in the program's name. */
async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  { wayOut, decide, explain }: Tools,
): Promise<void> {
  const url = URL.parse(incoming.url ?? "");
  if (url?.protocol !== "http:") {
    return say(answer, 400, "This is a proxy: ask for http://…, or use CONNECT.");
  }
  const port = Number(url.port || 80);
  const ruling = await decide({ protocol: url.protocol, host: url.hostname, port });
  if ("refused" in ruling) return say(answer, 403, refusal(url.host, ruling.refused));
  const { address, byProxy } = ruling;
  const path = url.pathname + url.search;
  const whole = addressOf({ protocol: url.protocol, host: address, port });
  const outgoing = httpRequest({
    host: address,
    port,
    method: incoming.method ?? "GET",
    headers: { ...headersOf(incoming), host: url.host },
    // A proxy is told all of the address: a path that begins with // would be another host's.
    ...(byProxy ? { path: whole + path, ...wayOut.socketOptions(whole) } : { path, agent: false }),
  }, (response) => {
    response.on("error", () => answer.destroy());
    if (byProxy && response.statusCode === 407) {
      outgoing.destroy();
      const reason = explain(whole, new Error("Proxy authentication required"));
      return say(answer, 502, `${url.host} cannot be reached: ${reason}`);
    }
    const back = { ...response.headers };
    for (const name of HOP_BY_HOP) delete back[name];
    try {
      answer.writeHead(response.statusCode ?? 502, back);
    } catch (error) {
      // What a web server says need not be HTTP, and nobody else catches what is thrown here.
      outgoing.destroy();
      return say(answer, 502, `${url.host} answers with no HTTP: ${messageOf(error)}`);
    }
    response.pipe(answer);
  });
  answer.on("error", () => outgoing.destroy());
  outgoing.on("error", (error) => {
    if (answer.headersSent) return answer.destroy();
    const reason = byProxy ? explain(whole, error) : messageOf(error);
    say(answer, 502, `${url.host} cannot be reached: ${reason}`);
  });
  answer.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** What of a program's headers is for the server. */
function headersOf({ headers }: IncomingMessage): IncomingMessage["headers"] {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  const left = { ...headers };
  for (const name of [...HOP_BY_HOP, ...named]) delete left[name];
  return left;
}

interface TunnelOptions extends Tools {
  /** The program's connection. */
  inside: Socket;
  /** What it has sent already. */
  first: Uint8Array;
  /** All connections, to be ended with the proxy. */
  open: Set<Socket>;
}

/** `CONNECT`: joins the program's connection with one to the server. */
async function tunnel(
  incoming: IncomingMessage,
  { inside, first, open, wayOut, decide, explain }: TunnelOptions,
): Promise<void> {
  const gone = new AbortController();
  inside.on("error", () => inside.destroy());
  inside.on("close", () => gone.abort(new Error("the program has gone")));
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(incoming.url ?? "") ?? [];
  const ruling = host === undefined
    ? { refused: "that is no host and port" }
    : await decide({ protocol: "https:", host, port: Number(port) });
  if ("refused" in ruling) return hangUp(inside, 403, refusal(incoming.url!, ruling.refused));
  const { address, byProxy } = ruling;
  const whole = addressOf({ protocol: "https:", host: address, port: Number(port) });
  const { signal } = gone;
  let outside: Socket;
  try {
    outside = byProxy
      ? await wayOut.tunnel(whole, { signal })
      : await connected(connect({ host: address, port: Number(port) }), signal);
  } catch (error) {
    if (signal.aborted) return;
    const reason = byProxy ? explain(whole, error) : messageOf(error);
    return hangUp(inside, 502, `${incoming.url} cannot be reached: ${reason}`);
  }
  open.add(outside);
  outside.on("close", () => {
    open.delete(outside);
    inside.destroy();
  });
  outside.on("error", () => inside.destroy());
  signal.addEventListener("abort", () => outside.destroy(), { once: true });
  // It may have gone in between.
  if (signal.aborted) return void outside.destroy();
  inside.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (first.length > 0) outside.write(first);
  inside.pipe(outside);
  outside.pipe(inside);
}

/** Resolves to a socket once it has connected. */
function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const giveUp = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  socket.once("error", reject);
  socket.once("connect", () => {
    signal.removeEventListener("abort", giveUp);
    resolve(socket);
  });
  if (signal.aborted) giveUp();
  return promise;
}

function refusal(target: string, reason: string): string {
  return `This node does not let algorithms reach ${target}: ${reason}.`;
}

function say(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  answer.end(`${text}\n`);
}

function hangUp(inside: Socket, status: number, text: string): void {
  const body = new TextEncoder().encode(`${text}\n`);
  inside.write(
    `HTTP/1.1 ${status} ${status === 403 ? "Forbidden" : "Bad Gateway"}\r\n` +
      `content-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
  );
  inside.end(body);
}

async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function ownAddresses(): string[] {
  return Deno.networkInterfaces().map(({ address }) => address);
}
