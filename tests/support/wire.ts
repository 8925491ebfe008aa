/**
 * A wire to a server that can be cut and mended: whoever goes through it loses all connections, and
 * gets no new ones meanwhile.
 * @module
 */

export interface Wire {
  /** `http://127.0.0.1:…` */
  url: string;
  cut(): void;
  mend(): void;
  stop(): void;
}

export function startWire(to: string): Wire {
  const { hostname, port } = new URL(to);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  let isCut = false;

  function close(connection: Deno.TcpConn): void {
    if (!open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // The other end has closed it.
    }
  }

  async function pass(near: Deno.TcpConn): Promise<void> {
    open.add(near);
    const far = await Deno.connect({ hostname, port: Number(port) });
    open.add(far);
    await Promise.allSettled([
      near.readable.pipeTo(far.writable),
      far.readable.pipeTo(near.writable),
    ]);
    close(near);
    close(far);
  }

  async function accept(): Promise<void> {
    for await (const near of listener) {
      if (isCut) near.close();
      else void pass(near).catch(() => close(near));
    }
  }

  void accept();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    cut() {
      isCut = true;
      for (const connection of [...open]) close(connection);
    },
    mend() {
      isCut = false;
    },
    stop() {
      listener.close();
      for (const connection of [...open]) close(connection);
    },
  };
}
