/**
 * A forward proxy to the web for one container (CONNECT, and `GET http://…`): the one way out that
 * the owner's `whitelist` opens.
 * @module
 */
import { lookup } from "node:dns/promises";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import { judge, type JudgeOptions, type Ruling, type Whitelist } from "./whitelist.ts";

/** Different refusals of one container that are told; a program could make them up without end. */
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

export interface StartWhitelistProxyOptions extends Partial<Omit<JudgeOptions, "whitelist">> {
  /** Path of the socket to listen at. */
  socket: string;
  whitelist: Whitelist;
  log: Logger;
}

/** Starts the proxy; returns what ends it and all its connections. */
export async function startWhitelistProxy(
  { socket, whitelist, log, resolve = addressesOf, own = ownAddresses }: StartWhitelistProxyOptions,
): Promise<() => void> {
  const decide = createDecide({ whitelist, log, resolve, own });
  const open = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    forward(incoming, answer, decide).catch((error) => {
      log.error("The proxy to the web failed", { error });
      answer.destroy();
    });
  });
  server.on("connect", (incoming: IncomingMessage, inside: Socket, first: Uint8Array) => {
    open.add(inside);
    inside.on("close", () => open.delete(inside));
    tunnel(incoming, { inside, first, decide, open }).catch((error) => {
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

/** Decides on a host and port, and tells the log of refusals, of each once. */
type Decide = (host: string, port: number) => Promise<Ruling>;

function createDecide(
  { whitelist, log, resolve, own }: JudgeOptions & { log: Logger },
): Decide {
  const told = new Set<string>();
  return async function decide(host, port) {
    const ruling = await judge(host, port, { whitelist, resolve, own }).catch((error) => ({
      refused: `it cannot be resolved: ${messageOf(error)}`,
    }));
    const target = `${host.slice(0, 200)}:${port}`;
    if ("refused" in ruling && !told.has(target) && told.size < MOST_TOLD) {
      told.add(target);
      log.warn("A container is refused a connection", { target, reason: ruling.refused });
    }
    return ruling;
  };
}

/** `GET http://…` and its like: asks the server in the program's name. */
async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  decide: Decide,
): Promise<void> {
  const url = URL.parse(incoming.url ?? "");
  if (url?.protocol !== "http:") {
    return say(answer, 400, "This is a proxy: ask for http://…, or use CONNECT.");
  }
  const ruling = await decide(url.hostname, Number(url.port || 80));
  if ("refused" in ruling) return say(answer, 403, refusal(url.host, ruling.refused));
  const named = incoming.headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  const headers: Record<string, string | string[] | undefined> = { ...incoming.headers };
  for (const name of [...HOP_BY_HOP, ...named]) delete headers[name];
  headers.host = url.host;
  const outgoing = httpRequest({
    host: ruling.address,
    port: Number(url.port || 80),
    method: incoming.method ?? "GET",
    path: url.pathname + url.search,
    headers,
    agent: false,
  }, (response) => {
    const back = { ...response.headers };
    for (const name of HOP_BY_HOP) delete back[name];
    response.on("error", () => answer.destroy());
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
    if (answer.headersSent) answer.destroy();
    else say(answer, 502, `${url.host} cannot be reached: ${messageOf(error)}`);
  });
  answer.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

interface TunnelOptions {
  /** The program's connection. */
  inside: Socket;
  /** What it has sent already. */
  first: Uint8Array;
  decide: Decide;
  /** All connections, to be ended with the proxy. */
  open: Set<Socket>;
}

/** `CONNECT`: joins the program's connection with one to the server. */
async function tunnel(
  incoming: IncomingMessage,
  { inside, first, decide, open }: TunnelOptions,
): Promise<void> {
  inside.on("error", () => inside.destroy());
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(incoming.url ?? "") ?? [];
  const ruling = host === undefined
    ? { refused: "that is no host and port" }
    : await decide(host, Number(port));
  if ("refused" in ruling) return hangUp(inside, 403, refusal(incoming.url!, ruling.refused));
  const outside = connect({ host: ruling.address, port: Number(port) });
  open.add(outside);
  outside.on("close", () => {
    open.delete(outside);
    inside.destroy();
  });
  inside.on("close", () => outside.destroy());
  let connected = false;
  outside.on("error", (error) => {
    if (connected) inside.destroy();
    else hangUp(inside, 502, `${incoming.url} cannot be reached: ${messageOf(error)}`);
  });
  outside.on("connect", () => {
    connected = true;
    inside.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (first.length > 0) outside.write(first);
    inside.pipe(outside);
    outside.pipe(inside);
  });
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
