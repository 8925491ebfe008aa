/**
 * Where an algorithm store may be. Its address comes from a user, so it is judged before anything
 * is sent: http or https only, no credentials in it, never an address that is reserved for the
 * machine's own network services (link-local, where clouds keep their metadata), and this machine
 * itself only when the caller insists.
 * @module
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { SextantError } from "../../../shared/service/errors.ts";

export interface JudgedAddress {
  /** Without its last slashes. */
  url: string;
  /** The IP addresses of its host: all of them have been judged. */
  addresses: string[];
}

/**
 * A name of which nothing may be told: that there is none, or where it leads. The hub's own
 * resolver knows names that nobody else can look up, also behind a name of somebody's own (CNAME).
 */
export class NowhereError extends Error {
  override name = "NowhereError";
}

/**
 * Throws 400 with what is wrong with an address, a {@linkcode NowhereError} where that is to be
 * seen by looking its name up.
 */
export async function judgeAddress(
  text: string,
  force: boolean,
  resolve: (host: string) => Promise<string[]>,
): Promise<JudgedAddress> {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new SextantError(
      "invalid_request",
      "The address of the store must begin with http(s)://.",
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new SextantError(
      "invalid_request",
      "The address of the store must hold no credentials, query or fragment.",
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isLocalhost = /(^|\.)localhost\.?$/.test(host);
  if (!force && isLocalhost) throw onThisMachine();
  const isLiteral = isIP(host) > 0;
  const addresses = isLiteral ? [host] : await resolve(host).catch((cause) => {
    throw new NowhereError(`The host ${host} is not known`, { cause });
  });
  const kinds = addresses.map(kindOfAddress);
  if (kinds.includes("reserved")) {
    if (!isLiteral) throw new NowhereError(`No store can be at ${host}`);
    throw new SextantError("invalid_request", `An algorithm store cannot be at ${host}.`);
  }
  if (!force && kinds.includes("this machine")) {
    throw isLiteral ? onThisMachine() : new NowhereError(`${host} is this machine`);
  }
  return { url: url.href.replace(/\/+$/, ""), addresses };
}

function onThisMachine(): SextantError {
  return new SextantError(
    "invalid_request",
    "The store is on the server's own machine (localhost), where others cannot reach it; " +
      "set force to link it nevertheless.",
  );
}

/** By the machine's own files first, then by DNS. */
export async function resolveHost(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * Whether an address leads to this machine or into the networks behind the hub, where nobody but
 * the hub may be able to look.
 */
export function isInside(address: string): boolean {
  if (kindOfAddress(address) === "this machine") return true;
  const mapped = ipv4In(address);
  if (!mapped) return /^f[cd]/i.test(address);
  const [a, b] = mapped as [number, number];
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128);
}

/** Where clouds keep the secrets of their machines, besides link-local addresses. */
const METADATA = new Set(["fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192"]);

type AddressKind = "this machine" | "reserved" | "elsewhere";

/** Where an IP address leads, also when it is IPv4 written as IPv6. */
export function kindOfAddress(address: string): AddressKind {
  const mapped = ipv4In(address);
  if (mapped) {
    const [a, b] = mapped as [number, number];
    if (a === 127 || a === 0) return "this machine";
    if ((a === 169 && b === 254) || a >= 224) return "reserved";
    return METADATA.has(mapped.join(".")) ? "reserved" : "elsewhere";
  }
  const text = address.toLowerCase();
  if (text === "::1" || text === "::") return "this machine";
  return /^(fe[89ab]|ff)/.test(text) || METADATA.has(text) ? "reserved" : "elsewhere";
}

function ipv4In(address: string): number[] | undefined {
  const dotted = /^(?:::ffff:|64:ff9b::)?(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (dotted) return dotted.split(".").map(Number);
  const hex = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (!hex) return undefined;
  const [high, low] = [parseInt(hex[1]!, 16), parseInt(hex[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255];
}
