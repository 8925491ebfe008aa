/**
 * Asks an algorithm store itself whether it has approved an image. The hub says which store a
 * task's image comes from, and is not trusted with that: it could name a store of the owner's for
 * any image.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { PATIENCE_MS, spanOf } from "../hub/patience.ts";
import { persist } from "../hub/persist.ts";
import { ALLOWED, type Decision, refuse } from "../policy/policy.ts";
import { NoStoreTokenError, type StoreCatalogue, StoreRefusal } from "./store_catalogue.ts";

/** A store says 401 also while the hub, which it asks, is busy or about to start again. */
const UNAUTHORIZED_ATTEMPTS = 5;

export interface StoreApproval {
  /**
   * Decides on an image of a store. The store's address has to be one that the owner allows: this
   * asks there.
   */
  decide(storeUrl: string, image: string, signal: AbortSignal): Promise<Decision>;
}

export interface CreateStoreApprovalOptions {
  catalogue: StoreCatalogue;
  /** The hub's address as stores have to know it, for what is said. */
  serverUrl: string;
  log: Logger;
  /** How long a store is tried that does not answer. */
  patienceMs?: number;
  /** How long an approval holds without another question. */
  holdsMs?: number;
  now?: () => number;
}

export function createStoreApproval({
  catalogue,
  serverUrl,
  log,
  patienceMs = PATIENCE_MS,
  holdsMs = 300_000,
  now = () => performance.now(),
}: CreateStoreApprovalOptions): StoreApproval {
  /** Store and image → until when its approval holds. */
  const approvals = new Map<string, number>();

  function isApproved(storeUrl: string, image: string, signal: AbortSignal): Promise<boolean> {
    const began = now();
    let unauthorized = 0;
    return persist(() => catalogue.has(storeUrl, image, signal), {
      what: `ask the algorithm store ${storeUrl} whether it has approved ${image}`,
      log,
      signal,
      retryable(error) {
        if (error instanceof NoStoreTokenError) return false;
        if (!(error instanceof StoreRefusal)) return now() - began < patienceMs;
        return error.status === 401 && ++unauthorized < UNAUTHORIZED_ATTEMPTS;
      },
    });
  }

  /** Why a store could not say whether it has approved something. */
  function whyUnknown(storeUrl: string, error: unknown): string {
    if (error instanceof NoStoreTokenError) {
      return `the server gives this node no token with which its store ${storeUrl} can be asked ` +
        `(${error.message}); ask the server's operator`;
    }
    if (error instanceof StoreRefusal) {
      return `its store ${storeUrl} does not tell this node what it has approved ` +
        `(${error.message}); ${remedyFor(serverUrl)}`;
    }
    return `its store ${storeUrl} could not be asked for ${spanOf(patienceMs)} whether it has ` +
      "approved it; the node's own log says why. Post the task again once it answers";
  }

  return {
    async decide(address, image, signal) {
      const storeUrl = address.replace(/\/+$/, "");
      const what = `the algorithm ${image}`;
      const url = URL.parse(storeUrl);
      if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
        return refuse(what, `its store ${JSON.stringify(address)} has no address to ask at`);
      }
      const key = JSON.stringify([storeUrl, image]);
      if ((approvals.get(key) ?? -Infinity) > now()) return ALLOWED;
      try {
        if (!await isApproved(storeUrl, image, signal)) {
          return refuse(what, `its store ${storeUrl} says that it has not approved it`);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = messageOf(error);
        log.warn(`The algorithm store ${storeUrl} was asked in vain`, { image, reason });
        return refuse(what, whyUnknown(storeUrl, error));
      }
      for (const [one, until] of approvals) if (until <= now()) approvals.delete(one);
      approvals.set(key, now() + holdsMs);
      return ALLOWED;
    },
  };
}

/** What there is to do about a store that refuses a node. */
export function remedyFor(serverUrl: string): string {
  return "it has to be a store of vantage6 4.15 or later that trusts the server under the address " +
    `${serverUrl}; if it knows another one of the same server, the node's owner writes that into ` +
    "policies.server_url_for_stores";
}
