/**
 * The agent's side of all that one container reaches: a unix socket for each way, behind which there is its proxy or a
 * target outside; and the relay that listens in the container's network.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import { joinConnections } from "./pipe.ts";
import { foreignAddresses, LOOPBACK, type Target, type Way } from "./addresses.ts";
import type { RelayWay } from "./relay.ts";
import { type Relay, startRelay } from "./relay_process.ts";
import { type Whitelist, WHITELIST_PROXY } from "./whitelist.ts";
import { startWhitelistProxy } from "./whitelist_proxy.ts";

/** Answers what a run asks of its proxy. */
export type Serve = (
  request: Request,
  context: { completed: Promise<void> },
) => Response | Promise<Response>;

export const PROXY_PORT = 80;

export interface Link {
  readonly connected: boolean;
  /** Lets the network of this process reach what it may. Rejects with an Error that says why it cannot be. */
  connect(pid: number): Promise<void>;
  /** Ends all of it: nothing can be asked any more. */
  close(): Promise<void>;
}

export interface OpenLinkOptions {
  /** An empty folder with a short path, which is made. */
  folder: string;
  /** Answers what the container asks of its proxy. */
  serve: Serve;
  ways: readonly Way[];
  /** What is served at the {@linkcode WHITELIST_PROXY}, if there is a way to it. */
  whitelist?: Whitelist | undefined;
  connect: Connect;
  log: Logger;
}

/** Connects with something outside. */
export type Connect = (target: Target) => Promise<Deno.Conn>;

/** How programs in containers call the machine that they are on. */
const THIS_MACHINE = ["host.docker.internal", "host.containers.internal"];

export async function connectTcp(
  { host, port }: Target,
  options: { signal?: AbortSignal } = {},
): Promise<Deno.Conn> {
  const hostname = THIS_MACHINE.includes(host) ? "127.0.0.1" : host;
  return await Deno.connect({ hostname, port, ...options });
}

export async function openLink(
  { folder, serve, ways, whitelist, connect, log }: OpenLinkOptions,
): Promise<Link> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const proxySocket = join(folder, "proxy");
  const server = Deno.serve({ path: proxySocket, onListen() {}, onError: failed }, serve);
  const relayed: RelayWay[] = [{ address: LOOPBACK, port: PROXY_PORT, socket: proxySocket }];
  const closers: (() => void)[] = [];
  for (const [index, way] of ways.entries()) {
    const socket = join(folder, String(index));
    closers.push(
      whitelist && isWhitelistProxy(way)
        ? await startWhitelistProxy({ socket, whitelist, log })
        : passOn(socket, () => connect(way), (reason) => {
          const { host, port } = way;
          log.warn("What a container may reach does not answer", { host, port, reason });
        }),
    );
    relayed.push({ address: way.address, port: way.port, socket });
  }
  let relay: Relay | undefined;
  let closed = false;

  function failed(error: unknown): Response {
    log.error("The algorithm proxy failed", { error });
    return Response.json({ msg: "Request failed, see node logs" }, { status: 500 });
  }

  return {
    get connected() {
      return relay !== undefined;
    },
    async connect(pid) {
      const addresses = foreignAddresses(ways);
      const started = await startRelay({ pid, ways: relayed, addresses });
      if (closed) started.stop();
      else relay = started;
    },
    async close() {
      if (closed) return;
      closed = true;
      relay?.stop();
      for (const close of closers) close();
      // Not waited for: what the program asked last may be held until its proxy hears that the run is over.
      server.shutdown().catch(() => {});
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  };
}

function isWhitelistProxy({ host, port }: Target): boolean {
  return host === WHITELIST_PROXY.host && port === WHITELIST_PROXY.port;
}

/** Passes connections to a socket on to what `connect` gives; returns what ends them all. */
function passOn(
  socket: string,
  connect: () => Promise<Deno.Conn>,
  onFailure: (reason: string) => void,
): () => void {
  const listener = Deno.listen({ transport: "unix", path: socket });
  const open = new Set<Deno.Conn>();
  const end = (connection: Deno.Conn) => {
    if (open.delete(connection)) connection.close();
  };

  async function pass(inside: Deno.Conn): Promise<void> {
    let outside: Deno.Conn;
    try {
      outside = await connect();
    } catch (error) {
      onFailure(messageOf(error));
      return end(inside);
    }
    if (!open.has(inside)) return outside.close();
    open.add(outside);
    // One side has gone, and with it the connection.
    await joinConnections(inside, outside).catch(() => {});
    end(inside);
    end(outside);
  }

  async function accept(): Promise<void> {
    for await (const connection of listener) {
      open.add(connection);
      void pass(connection);
    }
  }
  accept().catch((error) => onFailure(messageOf(error)));
  return () => {
    listener.close();
    for (const connection of open) end(connection);
  };
}
