/**
 * Free TCP ports on this machine.
 * @module
 */

/** Whether nothing listens on the port now. */
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
  random?: () => number;
}

/**
 * A port that is free now: the preferred one, else one below the range from which the kernel takes the ports
 * of outgoing connections, so that it is likely to be free the next time too.
 */
export function freePort(
  { preferred, except = [], random = Math.random }: FreePortOptions = {},
): number {
  if (preferred && !except.includes(preferred) && portIsFree(preferred)) return preferred;
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 20_000 + Math.floor(random() * 10_000);
    if (!except.includes(port) && portIsFree(port)) return port;
  }
  throw new Error("Cannot find a free port between 20000 and 29999: all that were tried are taken");
}
