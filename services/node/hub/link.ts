/**
 * The state of the connection to the broker, for those who wait for it and those who must not outlive it.
 * @module
 */
import { Events, type NatsConnection } from "nats.ws";

export interface Link {
  isUp(): boolean;
  /** Resolves once connected, to a signal that is aborted at the loss of the connection. */
  up(): Promise<AbortSignal>;
  /** Takes up a connection that has just been made, and follows it to its end. */
  follow(connection: NatsConnection): Promise<void>;
}

/** A link that is down until it has a connection to follow. */
export function createLink(): Link {
  let next = Promise.withResolvers<AbortSignal>();
  let lost: AbortController | undefined;

  function rise() {
    if (lost) return;
    lost = new AbortController();
    next.resolve(lost.signal);
  }
  // The client tells of every failed attempt to reconnect as of another disconnection.
  function fall() {
    if (!lost) return;
    next = Promise.withResolvers();
    lost.abort(new Error("the connection to the broker was lost"));
    lost = undefined;
  }

  return {
    isUp: () => lost !== undefined,
    up: () => next.promise,
    async follow(connection) {
      rise();
      for await (const { type } of connection.status()) {
        if (type === Events.Disconnect) fall();
        else if (type === Events.Reconnect) rise();
      }
    },
  };
}
