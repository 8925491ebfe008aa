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
} from "../../../shared/node_protocol/log_in.ts";
import { NODE_PROTOCOL } from "../../../shared/node_protocol/reports.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Pieces } from "../payload/pieces.ts";
import { persist } from "./persist.ts";
import { download } from "./download.ts";
import { HubError, WrongKeyError } from "./error.ts";
import { createSender, type HubRequest } from "./send.ts";
import { createSession } from "./session.ts";
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
  const session = createSession({ api, apiKey, payloadFormats, send, now });

  async function request<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}) {
    const token = options.token ?? (await session.current(options.signal)).token;
    try {
      return schema.parse(await send(api + path, { ...options, token }));
    } catch (error) {
      // The token may have died early, for example with the hub's signing key.
      if (error instanceof HubError && error.status === 401 && !options.token) session.forget();
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
        const own = token ?? (await session.current(signal)).token;
        const range = from > 0 ? { range: `bytes=${from}-` } : {};
        const headers = { authorization: `Bearer ${own}`, ...range };
        const response = await openBlob(`${api}/blobstream/${blobId}`, { headers, signal });
        if (response.ok) return response;
        const text = await response.text();
        const error = refusalOf({ status: response.status, text, url: api });
        if (token || error.status !== 401) throw error;
        session.forget();
        throw refusals++ === 0 ? new HubError(error.message) : error;
      };
      let refusals = 0;
      yield* download({ what: `blob ${blobId}`, open, log, signal, giveUp });
    },
    async whoAmI(signal) {
      const { nodeId } = await persist(() => session.current(signal), {
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
