/**
 * What the node tells the hub of its configuration, for all in the collaboration to see (option
 * `share_config`).
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import type { Hub } from "../hub/hub.ts";
import { columnsOf } from "./databases.ts";
import type { Tables } from "./tables.ts";

interface Entry {
  key: string;
  value: string;
}

/** More than this the hub does not take. */
const MOST_ENTRIES = 1000;
const LONGEST = { key: 128, value: 1024 };

type Shared = Pick<NodeConfig, "encryption" | "policy" | "databases" | "shareColumns">;

/**
 * What is shared, under v6's keys (HTTP contract §10). Names of columns go only where the owner
 * says so.
 */
export async function sharedEntries(
  { encryption, policy, databases, shareColumns }: Shared,
  tables: Tables,
): Promise<Entry[]> {
  const entries: [string, unknown][] = [["encryption", encryption]];
  const rules = policy.algorithms?.map(({ name }) => name) ?? [];
  for (const one of [...policy.allowedAlgorithms ?? [], ...rules]) {
    entries.push(["allowed_algorithms", one]);
  }
  for (const one of policy.allowedUsers ?? []) entries.push(["allowed_users", one]);
  for (const one of policy.allowedOrganizations ?? []) entries.push(["allowed_orgs", one]);
  for (const { label, type } of databases) {
    entries.push(["database_labels", label], [`db_type_${label}`, type]);
  }
  for (const database of shareColumns ? databases : []) {
    for (const column of await columnsOf(database, tables) ?? []) {
      entries.push([`columns_${database.label}`, column]);
    }
  }
  return entries
    .map(([key, value]) => ({ key, value: String(value).replaceAll("\0", "") }))
    .filter(({ key, value }) => key.length <= LONGEST.key && value.length <= LONGEST.value)
    .slice(0, MOST_ENTRIES);
}

/** Tells the hub; that it cannot be told now is no reason to stop. */
export async function shareConfig(
  config: NodeConfig,
  { hub, nodeId, tables, log, signal }: {
    hub: Hub;
    nodeId: number;
    tables: Tables;
    log: Logger;
    signal: AbortSignal;
  },
): Promise<void> {
  try {
    const entries = config.shareConfig ? await sharedEntries(config, tables) : [];
    const body = { config: entries };
    await hub.insist(`/node/${nodeId}`, z.unknown(), { method: "PATCH", body, signal });
  } catch (error) {
    if (!signal.aborted) {
      log.warn("Cannot share this node's configuration", { reason: messageOf(error) });
    }
  }
}
