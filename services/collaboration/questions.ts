/**
 * What this service asks identity: about organizations, to shut nodes out, and for tokens that
 * stores may see.
 * @module
 */
import { SextantError } from "../../shared/service/errors.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { Organization } from "../../shared/contract/organization.ts";
import type { Ask, Asker } from "../../shared/messages/questions.ts";

/** Throws 404 naming every id that is no organization's. */
export async function requireOrganizations(ask: Ask, ids: number[]): Promise<void> {
  const missing = await missingOrganizations(ask, ids);
  if (missing.length > 0) {
    throw new SextantError("not_found", `There is no organization ${missing.join(", ")}.`);
  }
}

/** Those of `ids` that are no organization's. */
export async function missingOrganizations(ask: Ask, ids: number[]): Promise<number[]> {
  const known = new Set<number>();
  for (const some of chunks(ids, 1000)) {
    for (const { id } of await ask("identity", "organizations", { ids: some })) known.add(id);
  }
  return ids.filter((id) => !known.has(id));
}

// An Organization has up to 10 KB, most of it its public key: so many are sure to fit into one
// message.
const SHOWN_AT_ONCE = 100;

/** The contract's Organization objects, as identity shows them. */
export async function showOrganizations(
  ask: Ask,
  ids: number[],
): Promise<Organization[]> {
  const shown: Organization[] = [];
  for (const some of chunks(ids, SHOWN_AT_ONCE)) {
    shown.push(...await ask("identity", "show_organizations", { ids: some }));
  }
  return shown;
}

/** Puts the Organization objects in place of the links of a list of collaborations or studies. */
export async function withOrganizations<Item extends { id: number }>(
  ask: Ask,
  items: Item[],
  members: Map<number, number[]>,
): Promise<(Item & { organizations: Organization[] })[]> {
  const all = [...new Set([...members.values()].flat())];
  const shown = new Map((await showOrganizations(ask, all)).map((one) => [one.id, one]));
  return items.map((item) => ({
    ...item,
    organizations: (members.get(item.id) ?? []).flatMap((id) => shown.get(id) ?? []),
  }));
}

export async function organizationName(ask: Ask, id: number): Promise<string> {
  const [organization] = await ask("identity", "organizations", { ids: [id] });
  if (!organization) throw new SextantError("not_found", `There is no organization ${id}.`);
  return organization.name;
}

/** What shows an algorithm store who asks; undefined for who has no log-in. */
export async function asStoreToken(
  ask: Ask,
  asker: Asker | undefined,
  store_url: string,
): Promise<string | undefined> {
  if (!asker) return undefined;
  const { token } = await ask("identity", "store_token", { ...asker, store_url });
  return `Bearer ${token}`;
}

/**
 * Closes the connections of nodes that may act no more, now. identity also hears of them from the
 * stream of events, so when it cannot be asked they are shut out as soon as it is back.
 */
export async function shutOut(
  { ask, log }: { ask: Ask; log: Logger },
  nodes: { id: number }[],
): Promise<void> {
  for (const node_ids of chunks(nodes.map((one) => one.id), 1000)) {
    try {
      await ask("identity", "revoke_nodes", { node_ids });
    } catch (error) {
      log.warn("Nodes are not shut out yet", { node_ids, error });
    }
  }
}

function* chunks<Item>(items: Item[], size: number): Generator<Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
