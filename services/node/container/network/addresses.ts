/**
 * What a container may connect to, and under which addresses it finds that in a network that has only a loopback.
 *
 * A name gets an address 127.1.x.y of its own by the container's hosts file, so that equal ports do not clash; an IP
 * address is given to the container's loopback as it is. On each a relay listens, and the agent connects to the real
 * thing: the container never learns another way to it, nor a name server.
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

const waySchema = z.object({ host: z.string(), port: z.number().int(), address: z.string() });

/** A target and where the container finds it. */
export type Way = z.infer<typeof waySchema>;

/** The address of what the container finds without any configuration: its proxy. */
export const LOOPBACK = "127.0.0.1";
/** What every container is called inside. */
export const HOSTNAME = "algorithm";

/** Gives each target its address. Equal targets get one way. */
export function planReach(targets: readonly Target[]): Way[] {
  const ways = new Map<string, Way>();
  const addresses = new Map<string, string>();
  for (const { host, port } of targets) {
    if (ways.has(keyOf({ host, port }))) continue;
    let address = addresses.get(host) ?? ownAddress(host);
    if (address === undefined) {
      const number = addresses.size + 1;
      address = `127.1.${number >> 8}.${number & 255}`;
    }
    addresses.set(host, address);
    ways.set(keyOf({ host, port }), { host, port, address });
  }
  return [...ways.values()];
}

/** The address that a host has by itself. */
function ownAddress(host: string): string | undefined {
  if (host === "localhost") return LOOPBACK;
  return isIP(host) ? host : undefined;
}

/** A container's hosts file: itself and its ways. The engine's would tell it what this machine's own has. */
export function hostsFile(ways: readonly Way[]): string {
  const named = ways.filter(({ host }) => ownAddress(host) === undefined)
    .map(({ host, address }) => `${address} ${host}`);
  const lines = [`${LOOPBACK} localhost ${HOSTNAME}`, "::1 localhost", ...new Set(named)];
  return lines.map((line) => `${line}\n`).join("");
}

export function namesOf(ways: readonly Way[]): string[] {
  return [...new Set(ways.map(({ host }) => host))];
}

/** Addresses that a container's loopback does not have by itself. */
export function foreignAddresses(ways: readonly Way[]): string[] {
  const foreign = ways.map(({ address }) => address)
    .filter((address) => address !== "::1" && !(isIPv4(address) && address.startsWith("127.")));
  return [...new Set(foreign)];
}

/** Those ways that lead to something in `targets`. */
export function within(ways: readonly Way[], targets: readonly Target[]): Way[] {
  const allowed = new Set(targets.map(keyOf));
  return ways.filter((way) => allowed.has(keyOf(way)));
}

/** Ways as text, to be read back by {@linkcode readWays}. */
export const writeWays = (ways: readonly Way[]): string => JSON.stringify(ways);

export function readWays(text: string | undefined): Way[] {
  return text === undefined ? [] : z.array(waySchema).parse(JSON.parse(text));
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
