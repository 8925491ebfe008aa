/**
 * What a container may connect to, and under which addresses it finds that in a network that has
 * only a loopback.
 *
 * A name gets an address 127.1.x.y of its own by the container's hosts file, so that equal ports do
 * not clash; an IP address is given to the container's loopback as it is. On each a relay listens,
 * and the agent connects to the real thing: the container never learns another way to it, nor a
 * name server.
 * @module
 */
import { isIP, isIPv4 } from "node:net";
import { z } from "zod";

/** Something in the world outside, as the node's owner names it. */
export interface Target {
  /** A host name in lower case, or an IP address without brackets. */
  host: string;
  port: number;
}

const routeSchema = z.object({ host: z.string(), port: z.number().int(), address: z.string() });

/** A target and where the container finds it. */
export type Route = z.infer<typeof routeSchema>;

/** The address of what the container finds without any configuration: its proxy. */
export const LOOPBACK = "127.0.0.1";
/** What every container is called inside. */
export const HOSTNAME = "algorithm";

/** Gives each target its address. Equal targets get one route. */
export function planRoutes(targets: readonly Target[]): Route[] {
  const routes = new Map<string, Route>();
  const addresses = new Map<string, string>();
  for (const { host, port } of targets) {
    if (routes.has(targetKey({ host, port }))) continue;
    let address = addresses.get(host) ?? ownAddress(host);
    if (address === undefined) {
      const number = addresses.size + 1;
      address = `127.1.${number >> 8}.${number & 255}`;
    }
    addresses.set(host, address);
    routes.set(targetKey({ host, port }), { host, port, address });
  }
  return [...routes.values()];
}

/** The address that a host has by itself. */
function ownAddress(host: string): string | undefined {
  if (host === "localhost") return LOOPBACK;
  return isIP(host) ? host : undefined;
}

/**
 * A container's hosts file: itself and its routes. The engine's would tell it what this machine's
 * own has.
 */
export function hostsFile(routes: readonly Route[]): string {
  const named = routes.filter(({ host }) => ownAddress(host) === undefined)
    .map(({ host, address }) => `${address} ${host}`);
  const lines = [`${LOOPBACK} localhost ${HOSTNAME}`, "::1 localhost", ...new Set(named)];
  return lines.map((line) => `${line}\n`).join("");
}

/** The hosts that routes lead to. */
export function hostsOf(routes: readonly Route[]): string[] {
  return [...new Set(routes.map(({ host }) => host))];
}

/** Addresses that a container's loopback does not have by itself. */
export function foreignAddresses(routes: readonly Route[]): string[] {
  const foreign = routes.map(({ address }) => address)
    .filter((address) => address !== "::1" && !(isIPv4(address) && address.startsWith("127.")));
  return [...new Set(foreign)];
}

/** Those routes that lead to one of `targets`. */
export function routesTo(targets: readonly Target[], routes: readonly Route[]): Route[] {
  const allowed = new Set(targets.map(targetKey));
  return routes.filter((route) => allowed.has(targetKey(route)));
}

/** Routes as text, to be read back by {@linkcode readRoutes}. */
export function writeRoutes(routes: readonly Route[]): string {
  return JSON.stringify(routes);
}

export function readRoutes(text: string | undefined): Route[] {
  return text === undefined ? [] : z.array(routeSchema).parse(JSON.parse(text));
}

/** Equal for equal targets. */
export function targetKey({ host, port }: Target): string {
  return `${host} ${port}`;
}
