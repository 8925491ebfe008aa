/**
 * What a hand-over to a new socket (`nats_socket.ts`) must know of the client above it, and
 * `nats.ws` does not show.
 * @module
 */
import type { HandOverClient } from "./nats_socket.ts";

/** The parts of the client's connection (1.30) that are read here. */
export interface ClientInternals {
  options: { authenticator: (nonce?: string) => object; name: string };
  protocol: {
    transport: { lang: string; version: string };
    subscriptions: {
      all(): { subject: string; queue?: string; sid: number; isDraining(): boolean }[];
    };
  };
  flush(): Promise<void>;
}

/** The same log-in and the same subscriptions as the client's own. */
export function handOverClient(client: ClientInternals): HandOverClient {
  const { options, protocol } = client;
  return {
    connectLine(nonce) {
      const { lang, version } = protocol.transport;
      const claims = {
        protocol: 1,
        lang,
        version,
        name: options.name,
        verbose: false,
        pedantic: false,
        headers: true,
        no_responders: true,
        ...options.authenticator(nonce),
      };
      return `CONNECT ${JSON.stringify(claims)}\r\n`;
    },
    subscriptions: () => protocol.subscriptions.all().filter((one) => !one.isDraining()),
    flush: () => client.flush(),
  };
}
