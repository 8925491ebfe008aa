/**
 * A forward proxy as hospitals have it: CONNECT, and `GET http://…`. It alone knows where names
 * lead, so that what goes past it arrives nowhere.
 */
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface ForwardProxy {
  /** Without name and password. */
  address: string;
  /**
   * What it was asked for and let through: "CONNECT hub.test:443", "POST http://hub.test/api/x".
   */
  passed: string[];
  /** How often somebody had no name and password, or wrong ones. */
  refused: number;
  /** Ports on this machine, by the `host:port` that they are reached under. */
  routes: Map<string, number>;
  stop(): Promise<void>;
}

export interface ForwardProxyOptions {
  /** Wants this name and password: "name:password". */
  login?: string;
}

export async function startForwardProxy(
  { login }: ForwardProxyOptions = {},
): Promise<ForwardProxy> {
  const open = new Set<Socket>();
  const routes = new Map<string, number>();
  const wanted = login && `Basic ${new TextEncoder().encode(login).toBase64()}`;

  function admits({ headers, method, url }: IncomingMessage): boolean {
    if (wanted && headers["proxy-authorization"] !== wanted) {
      proxy.refused++;
      return false;
    }
    proxy.passed.push(`${method} ${url}`);
    return true;
  }

  const server = createServer((incoming, answer) => {
    if (!admits(incoming)) {
      answer.writeHead(407, { "proxy-authenticate": "Basic" });
      return answer.end("<html>Who are you?</html>");
    }
    const url = new URL(incoming.url!);
    const port = routes.get(`${url.hostname}:${url.port || 80}`);
    if (port === undefined) {
      answer.writeHead(502);
      return answer.end("<html>No such host</html>");
    }
    const { method, headers } = incoming;
    const outgoing = request(
      { host: "127.0.0.1", port, method, headers, path: url.pathname + url.search },
      (response) => {
        answer.writeHead(response.statusCode!, response.headers);
        response.pipe(answer);
      },
    );
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.on("connect", (incoming: IncomingMessage, inside: Socket, first: Uint8Array) => {
    inside.on("error", () => inside.destroy());
    if (!admits(incoming)) {
      return inside.end(
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n" +
          "content-length: 0\r\n\r\n",
      );
    }
    const port = routes.get(incoming.url!);
    if (port === undefined) {
      return inside.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    }
    const outside = connect({ host: "127.0.0.1", port });
    for (const one of [inside, outside]) open.add(one);
    outside.on("connect", () => {
      inside.write("HTTP/1.1 200 Connection established\r\n\r\n");
      outside.write(first);
      inside.pipe(outside);
      outside.pipe(inside);
    });
    outside.on("error", () => inside.destroy());
    outside.on("close", () => inside.destroy());
    inside.on("close", () => outside.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: ForwardProxy = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: [],
    refused: 0,
    routes,
    async stop() {
      for (const one of open) one.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
