/**
 * A connection by TCP that goes through a forward proxy, which is asked for it with CONNECT.
 * @module
 */
import { type ClientRequest, request as plainRequest, type RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";

export interface OpenTunnelOptions {
  /** With name and password, if it wants them. */
  proxy: URL;
  /** Of an `https:` proxy: which authorities are trusted. */
  ca?: string[];
  signal?: AbortSignal;
}

/**
 * Connects with `target`, a host and port. Rejects with what the proxy answers when it does not let
 * that through.
 */
export function openTunnel(
  target: string,
  { proxy, ca, signal }: OpenTunnelOptions,
): Promise<Socket> {
  const { protocol, hostname, port, username, password } = proxy;
  const login = [username, password].map(decodeURIComponent).join(":");
  const options: RequestOptions = {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port || (protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: target,
    agent: false,
    headers: {
      host: target,
      ...(username || password
        ? { "proxy-authorization": `Basic ${new TextEncoder().encode(login).toBase64()}` }
        : {}),
    },
  };
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const asked: ClientRequest = protocol === "https:"
    ? secureRequest({ ...options, ...(ca ? { ca } : {}) })
    : plainRequest(options);
  const giveUp = () => asked.destroy(signal!.reason);
  signal?.addEventListener("abort", giveUp, { once: true });
  asked.on("connect", ({ statusCode = 0, statusMessage }, socket, first) => {
    signal?.removeEventListener("abort", giveUp);
    if (statusCode < 200 || statusCode > 299) {
      socket.destroy();
      return reject(new Error(`Unexpected server response: ${statusCode} ${statusMessage ?? ""}`));
    }
    // What the other side said at once.
    if (first.length > 0) socket.unshift(first);
    resolve(socket);
  });
  asked.on("error", reject);
  asked.on("close", () => reject(new Error("The proxy closed the connection")));
  if (signal?.aborted) giveUp();
  asked.end();
  return promise;
}
