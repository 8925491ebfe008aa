/**
 * Which addresses are reached directly although there is a proxy: what `no_proxy` and the variable
 * of that name list.
 *
 * The entries mean what they mean to curl and to Go's programs
 * (https://pkg.go.dev/golang.org/x/net/http/httpproxy): a host and all below it, with or without a
 * leading dot or `*.`; an IP address or a range of them; each with a port, or for all; `*` for
 * everything.
 * @module
 */
import { BlockList, isIP, isIPv6 } from "node:net";

/** The entries of a list as the variable `NO_PROXY` has them. */
export function splitNoProxy(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== "");
}

/**
 * Whether an entry of `noProxy` names the address. This machine itself is behind no proxy in any
 * case.
 */
export function isDirect(url: URL, noProxy: readonly string[]): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const port = url.port || (/^(https|wss):$/.test(url.protocol) ? "443" : "80");
  return isLoopback(host) || noProxy.some((entry) => names(entry.toLowerCase(), host, port));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function names(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const { name, ofPort } = splitPort(entry);
  if (ofPort !== undefined && ofPort !== port) return false;
  if (isIP(host) !== 0) return holds(name, host);
  const domain = name.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}

function splitPort(entry: string): { name: string; ofPort: string | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1]!, ofPort: bracketed[2] };
  const [, name, ofPort] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  return name === undefined ? { name: entry, ofPort: undefined } : { name, ofPort };
}

/** Whether an IP address, or a range such as 10.0.0.0/8, holds another address. */
function holds(range: string, address: string): boolean {
  const [first = "", bits] = range.split("/", 2);
  if (isIP(first) === 0 || isIP(first) !== isIP(address)) return false;
  const family = isIPv6(first) ? "ipv6" : "ipv4";
  const list = new BlockList();
  const most = family === "ipv6" ? 128 : 32;
  const length = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > most) return false;
  list.addSubnet(first, length, family);
  return list.check(address, family);
}
