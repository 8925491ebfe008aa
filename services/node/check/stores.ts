/**
 * The part of `deno task node check` about algorithm stores: each that the owner names is asked as
 * the agent asks it before it runs what comes from there.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { NodeConfig } from "../config/config.ts";
import type { Hub } from "../hub/hub.ts";
import { isPattern } from "../policy/references.ts";
import { remedyFor } from "../run/store_approval.ts";
import { createStoreCatalogue, NoStoreTokenError, StoreRefusal } from "../run/store_catalogue.ts";
import { type Finding, finding } from "./finding.ts";

export interface CheckStoresOptions {
  hub: Pick<Hub, "insist">;
  fetch: typeof globalThis.fetch;
  /** How long one store is waited for. */
  patienceMs: number;
}

/** Asks one store after the other. A pattern names no address that could be asked. */
export async function* checkStores(
  { policy: { allowedStores = [] }, serverForStores: serverUrl }: Pick<
    NodeConfig,
    "policy" | "serverForStores"
  >,
  { hub, fetch, patienceMs }: CheckStoresOptions,
): AsyncGenerator<Finding> {
  const catalogue = createStoreCatalogue({ hub, serverUrl, fetch });
  const name = "algorithm store";
  for (const entry of allowedStores) {
    if (isPattern(entry)) {
      yield finding(
        name,
        true,
        `${entry} is a pattern; a store is asked when a task comes from it`,
      );
      continue;
    }
    const url = entry.replace(/\/+$/, "");
    try {
      await catalogue.probe(url, AbortSignal.timeout(patienceMs));
      yield finding(name, true, `${url} tells this node what it has approved`);
    } catch (error) {
      yield finding(name, false, whatIsWrong(error, url, serverUrl));
    }
  }
}

function whatIsWrong(error: unknown, url: string, serverUrl: string): string {
  const reason = messageOf(error);
  if (error instanceof NoStoreTokenError) {
    return `the hub gives no token with which ${url} can be asked (${reason}); ask its operator`;
  }
  if (error instanceof StoreRefusal) {
    return `${url} does not tell this node what it has approved (${reason}); ${
      remedyFor(serverUrl)
    }`;
  }
  return `no answer from ${url}: ${reason}; check its address in policies.allowed_algorithm_stores`;
}
