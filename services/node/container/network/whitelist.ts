/**
 * Which addresses on the web the owner lets all containers reach: v6's `whitelist` of domains, IP
 * addresses and ports. Decides; {@link file://./whitelist_proxy.ts} connects.
 *
 * A name that is not listed is refused without a look into DNS, which would tell its server what
 * the algorithm knows. What a listed name resolves to is connected to by address, so that it cannot
 * change between the look and the connection, and must not be this machine itself unless the owner
 * lists that address, too.
 *
 * Where the way goes through a proxy, a name is the proxy's to resolve, and often nobody else can:
 * it is refused if it leads to this machine as far as this machine knows, and passed on as it is
 * otherwise. Where else it leads is for the proxy to judge.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { BlockList, isIP, isIPv4 } from "node:net";

/** How long a name that a proxy will resolve is looked for here. */
const LOOK_MS = 2000;

export interface Whitelist {
  /** `files.example`, or `.example` for it and everything below. */
  domains: readonly string[];
  /** Addresses, or ranges such as `10.1.0.0/16`. */
  ips: readonly string[];
  ports: readonly number[];
}

/**
 * The name and port under which a container finds the way there: those that v6 gives its own proxy.
 */
export const WHITELIST_PROXY = { host: "squid", port: 3128 };

/** Where to connect, or why not. By a proxy the address may be a name. */
export type Ruling = { address: string; byProxy: boolean } | { refused: string };

export interface JudgeOptions {
  whitelist: Whitelist;
  /** All addresses of a name. */
  resolve: (name: string) => Promise<string[]>;
  /** The addresses of this machine. */
  own: () => string[];
  /** Whether the way to a host leads through a proxy. */
  isProxied: (host: string) => boolean;
}

/** Decides on a host as a program names it, IPv6 addresses in brackets or bare. */
export async function judge(
  named: string,
  port: number,
  { whitelist, resolve, own, isProxied }: JudgeOptions,
): Promise<Ruling> {
  const { domains, ips, ports } = whitelist;
  const host = named.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (!ports.includes(port)) return { refused: `port ${port} is not in whitelist.ports` };
  const listed = rangesOf(ips);
  if (isIP(host)) {
    const address = plain(host);
    if (!listed(address)) return { refused: "the address is not in whitelist.ips" };
    return { address, byProxy: isProxied(address) };
  }
  // What ends in a number is an address in disguise (127.1, 0x7f000001), if anything.
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host) || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(host)) {
    return { refused: "that is no host name" };
  }
  if (!domains.some((domain) => matches(host, domain))) {
    return { refused: "the name is not in whitelist.domains" };
  }
  const byProxy = isProxied(host);
  const asked = byProxy ? resolveHere(host, resolve) : resolve(host);
  const found = (await asked).map(plain);
  const mine = new Set(own().map(plain));
  const mayBe = (address: string) => listed(address) || !(isSpecial(address) || mine.has(address));
  if (byProxy && found.every(mayBe)) return { address: host, byProxy };
  if (found.length === 0) return { refused: "the name has no address" };
  const address = byProxy ? undefined : found.find(mayBe);
  return address === undefined
    ? {
      refused: "the name leads to this machine or to no real host, and whitelist.ips has not that",
    }
    : { address, byProxy };
}

/** What this machine knows of a name, without much patience: the proxy alone may know it. */
async function resolveHere(
  name: string,
  resolve: JudgeOptions["resolve"],
): Promise<string[]> {
  const over = new AbortController();
  const none: string[] = [];
  try {
    return await Promise.race([
      resolve(name).catch(() => none),
      delay(LOOK_MS, none, { signal: over.signal }).catch(() => none),
    ]);
  } finally {
    over.abort();
  }
}

function matches(host: string, domain: string): boolean {
  return domain.startsWith(".")
    ? host === domain.slice(1) || host.endsWith(domain)
    : host === domain;
}

/** An IPv4 address that is written as one of IPv6 is the IPv4 address. */
function plain(address: string): string {
  const bare = address.replace(/%.*$/, "").toLowerCase();
  if (isIPv4(bare)) return bare;
  // In the one way to write an IPv6 address that there is in URLs.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined) return canonical;
  const bits = parseInt(high, 16) * 65536 + parseInt(low!, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}

/** Ranges that are nobody's host on a network: this machine, the link, groups. */
const isSpecial = rangesOf([
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "::1/128",
  "fe80::/10",
  "ff00::/8",
]);

function rangesOf(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, length] = range.split("/") as [string, string?];
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    list.addSubnet(address, Number(length ?? (isIPv4(address) ? 32 : 128)), family);
  }
  return (address) => list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}
