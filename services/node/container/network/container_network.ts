/**
 * All that one container reaches, on the agent's side: a unix socket for each route, behind which
 * there is its proxy or a target outside; and the relay that listens in the container's network.
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../../../shared/service/log.ts";
import type { WayOut } from "../../hub/way_out.ts";
import type { Connect } from "./connect.ts";
import { forwardConnections } from "./forward_connections.ts";
import type { RelayRoute } from "./relay.ts";
import { type Relay, startRelay } from "./relay_process.ts";
import { foreignAddresses, LOOPBACK, type Route, type Target } from "./routes.ts";
import { type Whitelist, WHITELIST_PROXY } from "./whitelist.ts";
import { startWhitelistProxy } from "./whitelist_proxy.ts";

/** Answers what a run asks of its proxy. */
export type Serve = (
  request: Request,
  context: { completed: Promise<void> },
) => Response | Promise<Response>;

/** Where a container finds its proxy, at {@linkcode LOOPBACK}. */
export const PROXY_PORT = 80;

export interface ContainerNetwork {
  readonly connected: boolean;
  /**
   * Lets the network of this process reach what it may. Rejects with an Error that says why it
   * cannot be.
   */
  connect(pid: number): Promise<void>;
  /** Ends all of it: nothing can be asked any more, and no file of it is left. */
  close(): Promise<void>;
}

export interface ContainerNetworkOptions {
  /** Where its sockets are to be: a folder that is made, with a short path. */
  folder: string;
  /** Answers what the container asks of its proxy. */
  serve: Serve;
  routes: readonly Route[];
  /** What is served at the {@linkcode WHITELIST_PROXY}, if there is a route to it. */
  whitelist?: Whitelist | undefined;
  /** How that is reached. */
  wayOut: WayOut;
  connect: Connect;
  log: Logger;
}

/** Opens the agent's side; the container reaches nothing of it before `connect` is called. */
export async function openContainerNetwork(
  { folder, serve, routes, whitelist, wayOut, connect, log }: ContainerNetworkOptions,
): Promise<ContainerNetwork> {
  // Sockets that could not be closed would keep those of another try from their addresses.
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const closers: (() => void)[] = [];
  const relayed: RelayRoute[] = [];
  let relay: Relay | undefined;
  let closed = false;

  function serveProxy(): void {
    const socket = join(folder, "proxy");
    const server = Deno.serve({ path: socket, onListen() {}, onError: answerFailure }, serve);
    // Not waited for: what the program asked last may be held until its proxy hears that the run is
    // over.
    closers.push(() => void server.shutdown().catch(() => {}));
    relayed.push({ address: LOOPBACK, port: PROXY_PORT, socket });
  }

  function answerFailure(error: unknown): Response {
    log.error("The algorithm proxy failed", { error });
    return Response.json({ msg: "Request failed, see node logs" }, { status: 500 });
  }

  async function openRoute(route: Route, socket: string): Promise<() => void> {
    if (whitelist && isWhitelistProxy(route)) {
      return await startWhitelistProxy({ socket, whitelist, wayOut, log });
    }
    return forwardConnections(socket, () => connect(route), (reason) => {
      const { host, port } = route;
      log.warn("What a container may reach does not answer", { host, port, reason });
    });
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    relay?.stop();
    for (const closeOne of closers) closeOne();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }

  try {
    serveProxy();
    for (const [index, route] of routes.entries()) {
      const socket = join(folder, String(index));
      closers.push(await openRoute(route, socket));
      relayed.push({ address: route.address, port: route.port, socket });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get connected() {
      return relay !== undefined;
    },
    async connect(pid) {
      const addresses = foreignAddresses(routes);
      const started = await startRelay({ pid, routes: relayed, addresses });
      if (closed) started.stop();
      else relay = started;
    },
    close,
  };
}

function isWhitelistProxy({ host, port }: Target): boolean {
  return host === WHITELIST_PROXY.host && port === WHITELIST_PROXY.port;
}
