/**
 * Free TCP ports on this machine.
 * @module
 */

/** Whether nothing listens on the port now. Throws when this account may not open it. */
export function portIsFree(port: number, hostname = "127.0.0.1"): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

export interface FreePortOptions {
  /** Taken when it is free. */
  preferred?: number | undefined;
  /** Never returned, though free: promised to another part already. */
  except?: number[];
  /**
   * The first and the last of those to choose from, as `20000-29999`; else what SEXTANT_PORTS says.
   */
  range?: string | undefined;
  random?: () => number;
}

/** Below the range from which the kernel takes the ports of outgoing connections. */
const PORTS = "20000-29999";

/**
 * A port that is free now, and likely to be free the next time too: the preferred one, else one of
 * the range.
 */
export function freePort(
  { preferred, except = [], range = Deno.env.get("SEXTANT_PORTS") ?? PORTS, random = Math.random }:
    FreePortOptions = {},
): number {
  if (preferred && !except.includes(preferred) && portIsFree(preferred)) return preferred;
  const [first = NaN, last = NaN] = range.split("-").map(Number);
  if (!(first > 0 && first <= last && last < 65_536)) {
    throw new Error(`Cannot choose a port: SEXTANT_PORTS is "${range}", not like ${PORTS}`);
  }
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = first + Math.floor(random() * (last - first + 1));
    if (!except.includes(port) && portIsFree(port)) return port;
  }
  throw new Error(`Cannot find a free port in ${range}: all that were tried are taken`);
}
