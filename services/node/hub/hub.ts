/**
 * The hub as the node sees it over HTTP: log-in with the API key, who the node is, its broker
 * credential, container tokens, and the payloads that are too large for a message.
 * @module
 */
import { z } from "zod";
import {
  type BrokerCredential,
  type BrokerCredentialRequest,
  brokerCredentialSchema,
  nodeLogInAnswer,
  type NodeLogInRequest,
} from "../../../shared/node_protocol/log_in.ts";
import { NODE_PROTOCOL } from "../../../shared/node_protocol/reports.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Pieces } from "../payload/pieces.ts";
import { claimsOf } from "./claims.ts";
import { persist } from "./persist.ts";
import { download } from "./download.ts";
import { HubError, WrongKeyError } from "./error.ts";
import { createSender, type HubRequest } from "./send.ts";
import { createWayOut, type WayOut } from "./way_out.ts";

export { HubError, WrongKeyError };
export type { HubRequest };

const id = z.number().int();
const linked = z.object({ id });
const nodeSchema = z.object({ id, name: z.string(), organization: linked, collaboration: linked });
const organizationSchema = z.object({ id, name: z.string() });
const collaborationSchema = z.object({ id, name: z.string(), encrypted: z.boolean() });
/** An older hub takes nothing that this agent reports; it is asked until it is updated. */
const ownCredential = brokerCredentialSchema.refine(
  ({ protocol }) => protocol >= NODE_PROTOCOL,
  "the hub is of a version before this agent's, which it does not understand: update the hub first",
);

export interface Hub {
  /** One request with a JSON answer. Throws a {@linkcode HubError}; does not retry. */
  request<T>(path: string, schema: z.ZodType<T>, options?: HubRequest): Promise<T>;
  /** The same, until the hub answers with success or with a refusal. */
  insist<T>(
    path: string,
    schema: z.ZodType<T>,
    options: HubRequest & Insistence,
  ): Promise<T>;
  /**
   * The bytes of a blob as they come, as insistently: a connection that breaks off is made anew.
   * They are what the hub has once they have ended, else that throws.
   */
  download(blobId: string, options: { token?: string } & Insistence): Pieces;
  /**
   * Logs in and reads who this node is. Throws a {@linkcode WrongKeyError} when the key is not
   * known.
   */
  whoAmI(signal: AbortSignal): Promise<NodeIdentity>;
  brokerCredential(publicKey: string, signal: AbortSignal): Promise<BrokerCredential>;
}

/** What ends trying again. */
export interface Insistence {
  signal: AbortSignal;
  /** Asked after each failure that trying again could mend. */
  giveUp?: (() => boolean) | undefined;
}

/** The node as the hub knows it. */
export interface NodeIdentity {
  id: number;
  name: string;
  organization: { id: number; name: string };
  collaboration: { id: number; name: string; encrypted: boolean };
}

export interface CreateHubOptions {
  /** Base address, as in `NodeConfig.api`. */
  api: string;
  apiKey: string;
  /** The formats of encrypted payloads that this agent reads, which it says at each log-in. */
  payloadFormats: readonly string[];
  /** How it is reached; directly unless given. */
  wayOut?: WayOut;
  log: Logger;
  /** Told whenever the hub cannot be reached, and why. */
  onTrouble?: (reason: string) => void;
  now?: () => number;
}

interface Session {
  token: string;
  nodeId: number;
  /** When to log in again, in milliseconds since 1970: well before the token expires. */
  renewAt: number;
}

export function createHub(
  {
    api,
    apiKey,
    payloadFormats,
    wayOut = createWayOut(),
    log,
    onTrouble = () => {},
    now = Date.now,
  }: CreateHubOptions,
): Hub {
  const { send, open: openBlob, refusalOf } = createSender({ wayOut, onTrouble });
  let session: Promise<Session> | undefined;

  async function logIn(signal?: AbortSignal): Promise<Session> {
    try {
      const answer = await send(`${api}/token/node`, {
        method: "POST",
        body: { api_key: apiKey, payload_formats: [...payloadFormats] } satisfies NodeLogInRequest,
        ...(signal ? { signal } : {}),
      });
      const token = nodeLogInAnswer.parse(answer).access_token;
      const { sub, exp } = claimsOf(token, z.object({ sub: id, exp: z.number() }));
      const lifetime = exp * 1000 - now();
      return { token, nodeId: sub, renewAt: now() + lifetime - Math.min(600_000, lifetime / 2) };
    } catch (error) {
      if (!(error instanceof HubError) || (error.status !== 401 && error.status !== 400)) {
        throw error;
      }
      throw new WrongKeyError(
        `The hub at ${api} refuses this node's API key: ${error.message} ` +
          "Ask an administrator of the collaboration for a new key and set api_key.",
      );
    }
  }

  async function current(signal?: AbortSignal): Promise<Session> {
    const known = session;
    if (known && (await known).renewAt <= now() && session === known) session = undefined;
    session ??= logIn(signal).catch((error) => {
      session = undefined;
      throw error;
    });
    return await session;
  }

  async function request<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}) {
    const token = options.token ?? (await current(options.signal)).token;
    try {
      return schema.parse(await send(api + path, { ...options, token }));
    } catch (error) {
      // The token may have died early, for example with the hub's signing key.
      if (error instanceof HubError && error.status === 401 && !options.token) session = undefined;
      if (!(error instanceof z.ZodError)) throw error;
      const reason = `${path} was answered in an unexpected shape: ${z.prettifyError(error)}`;
      onTrouble(reason);
      throw new HubError(reason);
    }
  }

  function insist<T>(
    path: string,
    schema: z.ZodType<T>,
    options: HubRequest & Insistence,
  ) {
    let refusals = 0;
    return persist(() => request(path, schema, options), {
      what: `get an answer to ${options.method ?? "GET"} ${path} from the hub`,
      log,
      signal: options.signal,
      retryable: (error) => {
        if (!(error instanceof HubError)) return !(error instanceof WrongKeyError);
        if (error.status === 401 && !options.token) return refusals++ === 0;
        return error.retryable && !options.giveUp?.();
      },
    });
  }

  return {
    request,
    insist,
    async *download(blobId, { token, signal, giveUp }) {
      const open = async (from: number, signal: AbortSignal) => {
        const own = token ?? (await current(signal)).token;
        const range = from > 0 ? { range: `bytes=${from}-` } : {};
        const headers = { authorization: `Bearer ${own}`, ...range };
        const response = await openBlob(`${api}/blobstream/${blobId}`, { headers, signal });
        if (response.ok) return response;
        const text = await response.text();
        const error = refusalOf({ status: response.status, text, url: api });
        if (token || error.status !== 401) throw error;
        session = undefined;
        throw refusals++ === 0 ? new HubError(error.message) : error;
      };
      let refusals = 0;
      yield* download({ what: `blob ${blobId}`, open, log, signal, giveUp });
    },
    async whoAmI(signal) {
      const { nodeId } = await persist(() => current(signal), {
        what: `log in at ${api}`,
        log,
        signal,
        retryable: (error) => !(error instanceof WrongKeyError),
      });
      const node = await insist(`/node/${nodeId}`, nodeSchema, { signal });
      const collaboration = await insist(
        `/collaboration/${node.collaboration.id}`,
        collaborationSchema,
        { signal },
      );
      const organization = await insist(
        `/organization/${node.organization.id}`,
        organizationSchema,
        { signal },
      );
      return { id: node.id, name: node.name, organization, collaboration };
    },
    brokerCredential: (publicKey, signal) =>
      insist("/token/broker", ownCredential, {
        method: "POST",
        body: {
          public_key: publicKey,
          protocol: NODE_PROTOCOL,
        } satisfies BrokerCredentialRequest,
        signal,
      }),
  };
}
