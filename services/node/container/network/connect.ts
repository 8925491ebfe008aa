/**
 * How the agent connects with what containers may reach.
 * @module
 */
import type { Target } from "./routes.ts";

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
