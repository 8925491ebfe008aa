/**
 * The node's one connection to the broker, and the key behind it.
 *
 * The private key is made at every start and never leaves the process: by its public half the hub
 * tells this agent from another with the same API key, also one that runs on a copy of the data
 * folder. The hub signs the public half for a while, and again at half of that time; then the
 * connection moves to a new socket, losing nothing. Should that fail, the broker closes the
 * connection in the end, and the client comes back with the newest credential.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import {
  type BrokerConnection,
  connectToBroker,
  type MsgHdrs,
  newHeaders,
} from "../../../shared/broker/connection.ts";
import { newUserKey, verify } from "../../../shared/broker/signing.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { claimsOf } from "./claims.ts";
import type { HubTrust } from "../../../shared/node_protocol/hub_signature.ts";
import { signAsNode } from "../../../shared/node_protocol/node_signature.ts";
import type { Hub } from "./hub.ts";
import type { KnownHub } from "./known_hub.ts";
import { networkReason } from "./network_reason.ts";
import { createRenewal } from "./renewal.ts";
import { TRACEPARENT_HEADER } from "../../../shared/tracing/traceparent.ts";
import type { WayOut } from "./way_out.ts";

export interface Broker {
  readonly connection: BrokerConnection;
  /** By which the hub knows this process. */
  readonly publicKey: string;
  /** Waits until the broker is connected. The signal it resolves to is aborted when that ends. */
  connected(signal: AbortSignal): Promise<AbortSignal>;
  /**
   * One signed request; the answer's text. Waits for the connection, and rejects as soon as it is
   * lost. `trace` is the span in whose course it is asked: unsigned, for nothing depends on it.
   */
  request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number; trace?: string | undefined; signal: AbortSignal },
  ): Promise<string>;
  /** One signed message that nobody answers; dropped while there is no connection. */
  publish(subject: string, payload: Uint8Array): void;
  /** The keys by which the hub signs, as this node believes. */
  hubKeys(): readonly string[];
  /** What decides whether a message on `subject` is from the hub. */
  trust(subject: string): HubTrust;
  close(): Promise<void>;
}

export interface ConnectBrokerOptions {
  hub: Hub;
  /** What this node remembers of the hub; without it everything is believed as it comes. */
  known?: KnownHub;
  nodeId: number;
  wayOut: WayOut;
  log: Logger;
  /** Told whenever the broker cannot be reached, and why. */
  onTrouble: (reason: string) => void;
  /** Gives up connecting. */
  signal: AbortSignal;
  /** Called when no credential can be had any more, ever. */
  onRefused: (error: unknown) => void;
}

/** Connects, however long hub and broker take to answer, and stays connected until `close`. */
export async function connectBroker(
  { hub, known, nodeId, wayOut, log, onTrouble, signal, onRefused }: ConnectBrokerOptions,
): Promise<Broker> {
  const { seed, publicKey } = newUserKey();
  const ask = async (signal: AbortSignal) => {
    const given = await hub.brokerCredential(publicKey, signal);
    return known ? await known.hold(given) : given;
  };
  let credential = await ask(signal);
  const closing = new AbortController();
  let there: BrokerConnection | undefined = undefined;
  const isUp = () => there?.connected === true;
  const url = credential.nats_url;
  const connecting = connectToBroker({
    url,
    way: wayOut.socketOptions(url),
    explain(text) {
      const reason = networkReason(text, wayOut.proxyOf(url));
      onTrouble(reason);
      return reason;
    },
    name: `node ${nodeId}`,
    credential: { seed, jwt: () => credential.jwt },
    inboxPrefix: subjects.inbox(nodeId),
    oneOfMany: true,
    log,
  });
  renew().catch((error) => {
    if (!closing.signal.aborted) onRefused(error);
  });
  const connection = await orAbort(connecting, signal).catch((error) => {
    closing.abort(error);
    connecting.then((late) => late.close());
    throw error;
  });
  there = connection;

  /** Gets the next credential as long as the agent runs. */
  async function renew() {
    for (;;) {
      await whileGood(credential.jwt, { isUp, signal: closing.signal });
      credential = await ask(closing.signal);
      if (credential.nats_url !== url && !isUp()) {
        throw new Error(
          `The hub's broker is at ${credential.nats_url} now: start the agent again.`,
        );
      }
      // The client asks for the newest credential at every attempt to connect.
      if (!there?.connected) continue;
      await there.renew().catch((error) =>
        log.debug("The renewed credential waits for a reconnection", { reason: messageOf(error) })
      );
    }
  }

  function signedHeaders(subject: string, payload: Uint8Array): MsgHdrs {
    const signed = newHeaders();
    signAsNode(signed, { seed, credential: credential.jwt }, { subject, payload });
    return signed;
  }

  return {
    connection,
    publicKey,
    connected: (signal) => orAbort(connection.whileConnected(), signal),
    async request(subject, payload, { timeoutMs, trace, signal }) {
      // The client would keep what is sent without a connection, and every repetition of it, for
      // the next one.
      const lost = await orAbort(connection.whileConnected(), signal);
      const headers = signedHeaders(subject, payload);
      if (trace !== undefined) headers.set(TRACEPARENT_HEADER, trace);
      const answer = connection.request(subject, payload, { timeout: timeoutMs, headers });
      return (await orAbort(answer, AbortSignal.any([lost, signal]))).string();
    },
    publish(subject, payload) {
      if (!isUp()) return;
      connection.publish(subject, payload, { headers: signedHeaders(subject, payload) });
    },
    hubKeys: () => credential.dispatch_keys,
    trust: (subject) => ({
      subject,
      verify: (subject, payload, signature) =>
        credential.dispatch_keys.some((key) => verify(key, subject, payload, signature)),
    }),
    async close() {
      closing.abort(new Error("closing"));
      if (isUp()) await connection.drain();
      else await connection.close();
    },
  };
}

/** Waits until it is time for the next credential. */
async function whileGood(
  jwt: string,
  { isUp, signal }: { isUp: () => boolean; signal: AbortSignal },
): Promise<void> {
  const renewal = createRenewal({ lifetimeMs: lifetimeMs(jwt) });
  while (!renewal.isDue(isUp())) await delay(renewal.lookEveryMs, undefined, { signal });
}

/**
 * How long a credential was made for. By its own times, since the clock here may differ from the
 * hub's.
 */
function lifetimeMs(jwt: string): number {
  const { iat, exp } = claimsOf(jwt, z.object({ iat: z.number(), exp: z.number() }));
  return Math.max(1, exp - iat) * 1000;
}
