/**
 * What people name, as the API knows it: by its id or by its name.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import type { Client } from "../client.ts";

interface Named {
  id: number;
  name: string;
}

/** The one that is meant. Throws a UsageError that names those that there are. */
export function oneNamed<One extends Named>(
  all: readonly One[],
  { wanted, what }: { wanted: string; what: string },
): One {
  const byName = all.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  const exact = all.find(({ name }) => name === wanted);
  const byId = all.find(({ id }) => String(id) === wanted);
  const found = exact ?? byId ?? (byName.length === 1 ? byName[0] : undefined);
  if (found) return found;
  const near = closest(wanted, all.map(({ name }) => name));
  const hint = near ? ` Did you mean "${near}"?` : "";
  const names = all.slice(0, 20).map(({ id, name }) => `${name} (${id})`).join(", ") || "none";
  throw new UsageError(`There is no ${what} "${wanted}" that you see.${hint} There are: ${names}`);
}

export async function collaborationNamed(client: Client, wanted: string) {
  const all = await client.collaborations.list().all();
  return oneNamed(all, { wanted, what: "collaboration" });
}

/** The collaboration that is meant where there is only one; else one must be named. */
export async function collaborationOf(client: Client, wanted: string | undefined) {
  const all = await client.collaborations.list().all();
  if (wanted !== undefined) return oneNamed(all, { wanted, what: "collaboration" });
  if (all.length === 1) return all[0]!;
  const names = all.map(({ id, name }) => `${name} (${id})`).join(", ") || "none";
  throw new UsageError(`Name one with --collaboration; there are: ${names}`);
}

/** Gives the name of an organization by its id, as far as it may be seen. */
export async function namesOfOrganizations(client: Client): Promise<(id: number) => string> {
  const all = await client.organizations.list().all();
  const names = new Map(all.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? `organization ${id}`;
}
