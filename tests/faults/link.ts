/**
 * The line between a data station and the hub, which can be cut: a proxy for the gateway and for
 * the broker.
 * @module
 */
export interface Link {
  /** The port on this machine where the node finds the gateway. */
  port: number;
  /** Closes every connection to the broker, and takes no new one until `heal`. */
  cut(): void;
  heal(): void;
  stop(): Promise<void>;
}

export function startLink(
  { gatewayUrl, natsUrl }: { gatewayUrl: string; natsUrl: string },
): Link {
  const nats = new URL(natsUrl);
  const open = new Set<Deno.Conn>();
  let whole = true;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const own = `${nats.protocol}//127.0.0.1:${listener.addr.port}${nats.pathname}`;

  function close(...connections: Deno.Conn[]) {
    for (const connection of connections) {
      if (!open.delete(connection)) continue;
      try {
        connection.close();
      } catch { /* closed already */ }
    }
  }

  async function join(near: Deno.Conn): Promise<void> {
    open.add(near);
    let far: Deno.Conn;
    try {
      far = await Deno.connect({ hostname: nats.hostname, port: Number(nats.port) });
    } catch {
      return close(near);
    }
    open.add(far);
    if (!whole) return close(near, far);
    const copy = (from: Deno.Conn, to: Deno.Conn) =>
      from.readable.pipeTo(to.writable).catch(() => {}).finally(() => close(near, far));
    await Promise.all([copy(near, far), copy(far, near)]);
  }

  (async () => {
    for await (const near of listener) {
      if (whole) join(near).catch(() => {});
      else near.close();
    }
  })().catch(() => {});

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      try {
        const answer = await fetch(`${gatewayUrl}${pathname}${search}`, {
          method: request.method,
          headers: request.headers,
          body: request.body,
        });
        if (pathname !== "/api/token/broker" || !answer.ok) return answer;
        return Response.json({ ...await answer.json(), nats_url: own });
      } catch {
        return Response.json({ msg: "The hub cannot be reached." }, { status: 502 });
      }
    },
  );

  return {
    port: server.addr.port,
    cut() {
      whole = false;
      close(...open);
    },
    heal() {
      whole = true;
    },
    async stop() {
      listener.close();
      close(...open);
      await server.shutdown();
    },
  };
}
