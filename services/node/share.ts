/**
 * What the node tells the hub of its configuration, for all in the collaboration to see (option `share_config`).
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { NodeConfig } from "./config.ts";
import type { Hub } from "./hub.ts";

interface Entry {
  key: string;
  value: string;
}

/** What is shared, under the field's keys. */
export function sharedEntries(
  config: Pick<NodeConfig, "encryption">,
): Entry[] {
  const entries: Entry[] = [{ key: "encryption", value: String(config.encryption) }];
  return entries;
}

/** Tells the hub; that it cannot be told now is no reason to stop. */
export async function shareConfig(
  entries: Entry[],
  { hub, nodeId, log, signal }: { hub: Hub; nodeId: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  try {
    const body = { config: entries };
    await hub.insist(`/node/${nodeId}`, z.unknown(), { method: "PATCH", body, signal });
  } catch (error) {
    if (!signal.aborted) {
      log.warn("Cannot share this node's configuration", { reason: messageOf(error) });
    }
  }
}
