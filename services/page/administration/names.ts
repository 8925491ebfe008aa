/**
 * The names of what records refer to by an id, as far as the reader may see them.
 * @module
 */
import type { Organization } from "../../../shared/contract/organization.ts";
import { ForbiddenError } from "../../client/mod.ts";
import { client } from "../session/session.ts";
import type { Option } from "./form_values.ts";

/** `#12` where the name is not for the reader. */
export type Names = (id: number) => string;

function namesOf(items: readonly { id: number; name: string }[]): Names {
  const byId = new Map(items.map(({ id, name }) => [id, name]));
  return (id) => byId.get(id) ?? `#${id}`;
}

/** What the reader may see of it: nothing, where they may see none. */
async function asFarAsSeen<Item>(asking: Promise<Item[]>): Promise<Item[]> {
  return await asking.catch((error) => {
    if (error instanceof ForbiddenError) return [];
    throw error;
  });
}

export async function organizationNames(
  ids: readonly number[],
  signal: AbortSignal,
): Promise<Names> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return namesOf([]);
  return namesOf(
    await asFarAsSeen(client.organizations.list({ ids: wanted }, { signal }).all()),
  );
}

export async function collaborationNames(signal: AbortSignal): Promise<Names> {
  return namesOf(await asFarAsSeen(client.collaborations.list({}, { signal }).all()));
}

/** The organizations of a record that was asked for with them. */
export function membersOf({ organizations }: { organizations: unknown }): Organization[] {
  return Array.isArray(organizations) ? organizations : [];
}

export function optionsOf(items: readonly { id: number; name: string }[]): Option[] {
  return items.map(({ id, name }) => ({ value: String(id), text: name }))
    .sort((left, right) => left.text.localeCompare(right.text));
}

export async function organizationOptions(signal?: AbortSignal): Promise<Option[]> {
  return optionsOf(
    await asFarAsSeen(client.organizations.list({}, signal ? { signal } : {}).all()),
  );
}

export async function collaborationOptions(signal?: AbortSignal): Promise<Option[]> {
  return optionsOf(
    await asFarAsSeen(client.collaborations.list({}, signal ? { signal } : {}).all()),
  );
}

/** What one types to find a name, as the API's filters have it. */
export function holding(search: string): string | undefined {
  return search === "" ? undefined : `%${search}%`;
}
