/**
 * A socket of the agent's that leads to something outside.
 * @module
 */
import { messageOf } from "../../../../shared/service/errors.ts";
import { joinConnections } from "./pipe.ts";

/**
 * Joins each connection to a unix socket with one that `connect` gives; returns what ends them all.
 * `onFailure` is told why one could not be made.
 */
export function forwardConnections(
  socket: string,
  connect: () => Promise<Deno.Conn>,
  onFailure: (reason: string) => void,
): () => void {
  const listener = Deno.listen({ transport: "unix", path: socket });
  const open = new Set<Deno.Conn>();

  function end(connection: Deno.Conn): void {
    if (open.delete(connection)) connection.close();
  }

  async function forward(inside: Deno.Conn): Promise<void> {
    let outside: Deno.Conn;
    try {
      outside = await connect();
    } catch (error) {
      onFailure(messageOf(error));
      return end(inside);
    }
    if (!open.has(inside)) return outside.close();
    open.add(outside);
    // One side has gone, and with it the connection.
    await joinConnections(inside, outside).catch(() => {});
    end(inside);
    end(outside);
  }

  async function accept(): Promise<void> {
    for await (const connection of listener) {
      open.add(connection);
      void forward(connection);
    }
  }
  accept().catch((error) => onFailure(messageOf(error)));
  return function close() {
    listener.close();
    for (const connection of open) end(connection);
  };
}
