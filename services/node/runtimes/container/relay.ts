/**
 * A process inside the network of one container: takes connections there and passes them to the agent's socket.
 * It is all that the container can reach. It ends with its standard input, that is, with the agent.
 *
 * Arguments: socket path, port.
 * @module
 */

/** Connections at once; more wait. */
const MOST = 64;

async function relay(from: Deno.Conn, socket: string): Promise<void> {
  using inside = from;
  using outside = await Deno.connect({ transport: "unix", path: socket });
  await Promise.all([copy(inside, outside), copy(outside, inside)]);
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
    for (let done = 0; done < size;) done += await to.write(buffer.subarray(done, size));
  }
  await to.closeWrite();
}

/** Waits for the relay of an agent that has died to notice it. */
async function listen(port: number): Promise<Deno.Listener> {
  for (let tries = 1;; tries++) {
    try {
      return Deno.listen({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function main([socket, port]: string[]): Promise<void> {
  const listener = await listen(Number(port));
  console.log("listening");
  const open = new Set<Promise<void>>();
  for await (const connection of listener) {
    const one: Promise<void> = relay(connection, socket!)
      .catch(() => {}) // one side has gone, and with it the connection
      .finally(() => open.delete(one));
    open.add(one);
    if (open.size >= MOST) await Promise.race(open);
  }
}

if (import.meta.main) {
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit(0));
  await main(Deno.args);
}
