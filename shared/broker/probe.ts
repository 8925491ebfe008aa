/**
 * Whether a NATS server can be reached by WebSocket, without logging in.
 * @module
 */
import { openSocket, type WebSocketWay } from "./nats_socket.ts";

export interface ProbeBrokerOptions {
  way?: WebSocketWay | undefined;
  timeoutMs: number;
}

/**
 * Resolves when the server has greeted; rejects with the reason why it has not. Nobody is told of
 * the visit.
 */
export async function probeBroker(
  url: string,
  { way, timeoutMs }: ProbeBrokerOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (reason: string) => reject(new Error(reason));
  const { socket } = openSocket(url, { way, onTrouble: fail });
  socket.onmessage = ({ data }) => {
    const greeting = new TextDecoder().decode(new Uint8Array(data).subarray(0, 20));
    if (greeting.startsWith("INFO ")) resolve();
    else fail(`what answers is no NATS server: it says ${JSON.stringify(greeting)}`);
  };
  socket.onerror = ({ message }) => fail(message);
  const timer = setTimeout(fail, timeoutMs, `no greeting within ${timeoutMs / 1000} s`);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.close(1000);
  }
}
