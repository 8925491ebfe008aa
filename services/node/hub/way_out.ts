/**
 * The way out of the agent: through a proxy or directly, and which authorities it trusts. One
 * setting for everything that it connects to by HTTP or WebSocket: the API, the broker, large
 * payloads, algorithms that have an address; and for what containers may reach on the web.
 *
 * There are two network stacks below, Deno's `fetch` and that of `node:http`, `node:tls` and `ws`,
 * and each would heed other variables than the other: hence the decision is made here, and
 * {@linkcode forgetVariables} takes theirs away.
 * @module
 */
import type { Agent } from "node:http";
import type { Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { isDirect } from "./no_proxy.ts";
import { openTunnel } from "./tunnel.ts";

export interface WayOutSettings {
  /**
   * For `https:` and `wss:`. An address `http://` or `https://`, with name and password if it wants
   * them.
   */
  secureProxy: URL | undefined;
  /** For `http:` and `ws:`. */
  plainProxy: URL | undefined;
  /** What is reached directly: see `no_proxy.ts`. */
  noProxy: readonly string[];
  /**
   * Certificates of authorities in PEM, each a text of one or more, trusted beside the public ones.
   */
  authorities: readonly string[];
}

/** How `node:http`, `node:https` and `ws` connect. */
export interface SocketOptions {
  agent?: Agent;
  ca?: string[];
}

export interface WayOut {
  fetch: typeof globalThis.fetch;
  /** For a request to this address: `node:https`'s for `https:`, `ws`'s for `wss:`, and so on. */
  socketOptions(url: string): SocketOptions;
  /** The proxy on the way to an address, without its password; `undefined`: the way is direct. */
  proxyOf(url: string): string | undefined;
  /**
   * A connection through the proxy on the way to an address, for whatever goes over TCP; only where
   * {@linkcode proxyOf} names one. Rejects when the proxy does not let it through.
   */
  tunnel(url: string, options?: { signal?: AbortSignal }): Promise<Socket>;
  /** Ends the connections that are kept. */
  close(): void;
}

/** What Deno's `fetch` heeds by itself, also where it is told of a proxy. */
const VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];

/**
 * From here on no variable decides on the way of this process, but what was read of them until now.
 */
export function forgetVariables(): void {
  for (const name of VARIABLES) {
    Deno.env.delete(name);
    Deno.env.delete(name.toLowerCase());
  }
}

const NO_SETTINGS: WayOutSettings = {
  secureProxy: undefined,
  plainProxy: undefined,
  noProxy: [],
  authorities: [],
};

export function createWayOut(
  { secureProxy, plainProxy, noProxy, authorities }: WayOutSettings = NO_SETTINGS,
): WayOut {
  /** One for each proxy, and one without: each has connections that are kept. */
  const clients = new Map<string, Deno.HttpClient>();

  function proxyFor(url: URL): URL | undefined {
    if (isDirect(url, noProxy)) return undefined;
    return isSecure(url) ? secureProxy : plainProxy;
  }

  function clientFor(url: URL): Deno.HttpClient | undefined {
    const proxy = proxyFor(url);
    if (!proxy && authorities.length === 0) return undefined;
    const key = proxy?.href ?? "";
    const known = clients.get(key);
    if (known) return known;
    const client = Deno.createHttpClient({
      caCerts: [...authorities],
      ...(proxy ? { proxy: proxyOption(proxy) } : {}),
    });
    clients.set(key, client);
    return client;
  }

  // What is given stands in place of the public ones.
  const ca = authorities.length > 0 ? { ca: [...rootCertificates, ...authorities] } : {};

  return {
    fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      const client = clientFor(url);
      return globalThis.fetch(input, client ? { ...init, client } : init);
    },
    socketOptions(address) {
      const url = new URL(address);
      const proxy = proxyFor(url);
      if (!proxy) return ca;
      // Only `http:` has a form of its own for proxies; a WebSocket asks for a tunnel in either
      // case.
      const Kind = url.protocol === "http:" ? HttpProxyAgent : HttpsProxyAgent;
      return { ...ca, agent: new Kind(proxy, ca) };
    },
    proxyOf(url) {
      const proxy = proxyFor(new URL(url));
      return proxy && shownProxy(proxy);
    },
    async tunnel(address, options) {
      const url = new URL(address);
      const proxy = proxyFor(url);
      if (!proxy) throw new TypeError(`The way to ${url.host} is through no proxy`);
      const port = url.port || (isSecure(url) ? 443 : 80);
      return await openTunnel(`${url.hostname}:${port}`, { proxy, ...ca, ...options });
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

/** Where the proxy is, and by which name it is asked: what may stand in a log. */
export function shownProxy({ protocol, host, username }: URL): string {
  return `${protocol}//${username ? `${username}@` : ""}${host}`;
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "wss:";
}

function proxyOption(proxy: URL): Deno.Proxy {
  const url = `${proxy.protocol}//${proxy.host}`;
  if (!proxy.username) return { url };
  const [username, password] = [proxy.username, proxy.password].map(decodeURIComponent);
  return { url, basicAuth: { username: username!, password: password! } };
}
