/**
 * A process inside the network of one container: takes connections there and passes each to a
 * socket of the agent. These are all that the container can reach. It ends with its standard input,
 * that is, with the agent.
 *
 * Argument: a JSON list of {@linkcode RelayRoute}.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { joinConnections } from "./pipe.ts";

/** Where to listen, and the agent's socket that answers there. */
export interface RelayRoute {
  address: string;
  port: number;
  socket: string;
}

/** Connections at once; more wait. */
const MOST = 64;

async function relay(from: Deno.Conn, socket: string): Promise<void> {
  using inside = from;
  using outside = await Deno.connect({ transport: "unix", path: socket });
  await joinConnections(inside, outside);
}

/** Waits for the relay of an agent that has died to notice it. */
async function listen({ address, port }: RelayRoute): Promise<Deno.Listener> {
  for (let tries = 1;; tries++) {
    try {
      return Deno.listen({ hostname: address, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 50) throw error;
      await delay(100);
    }
  }
}

async function serve(listener: Deno.Listener, socket: string): Promise<void> {
  const open = new Set<Promise<void>>();
  for await (const connection of listener) {
    const one: Promise<void> = relay(connection, socket)
      .catch(() => {}) // one side has gone, and with it the connection
      .finally(() => open.delete(one));
    open.add(one);
    if (open.size >= MOST) await Promise.race(open);
  }
}

async function main([argument]: string[]): Promise<void> {
  const routes = JSON.parse(argument!) as RelayRoute[];
  const listeners = await Promise.all(routes.map(listen));
  console.log("listening");
  await Promise.all(listeners.map((listener, index) => serve(listener, routes[index]!.socket)));
}

if (import.meta.main) {
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit(0));
  await main(Deno.args);
}
