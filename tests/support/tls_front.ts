/** The TLS front of a hub: API and broker behind one address, as in production. */
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Certificates } from "./certificates.ts";

export interface TlsFront {
  port: number;
  /** Texts to be had at a path, before anything behind is asked. */
  files: Map<string, string>;
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  certificates: Certificates;
  /** Ports on this machine. */
  api: number;
  broker: number;
}

export async function startTlsFront(
  { certificates: { cert, key }, api, broker }: TlsFrontOptions,
): Promise<TlsFront> {
  const open = new Set<Socket>();
  const files = new Map<string, string>();
  const server = createServer({ cert, key }, (incoming, answer) => {
    const text = files.get(incoming.url!);
    if (text !== undefined) return answer.end(text);
    const { method, headers, url } = incoming;
    const behind = { host: "127.0.0.1", port: api, method, headers, path: url };
    const outgoing = request(behind as never, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.on("upgrade", (incoming: IncomingMessage, inside: Socket, first: Uint8Array) => {
    const outside = connect({ host: "127.0.0.1", port: broker });
    for (const one of [inside, outside]) {
      open.add(one);
      one.on("error", () => one.destroy());
    }
    outside.on("connect", () => {
      const headers = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}`);
      outside.write(`GET / HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
      outside.write(first);
      inside.pipe(outside);
      outside.pipe(inside);
    });
    outside.on("close", () => inside.destroy());
    inside.on("close", () => outside.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    files,
    async stop() {
      for (const one of open) one.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
