import type { TaskDeps } from "../../deps.ts";
import { heldSince } from "../../rules.ts";
import { nameless, type NameOf } from "../../show.ts";
import type { ResultRow } from "../../store/result.ts";

/** The names of organizations at which something waits for people; hardly ever there are any. */
export async function namesOfWaiting(
  { ask }: Pick<TaskDeps, "ask">,
  organizationIds: readonly number[],
): Promise<NameOf> {
  if (organizationIds.length === 0) return nameless;
  const found = await ask("identity", "organizations", { ids: [...new Set(organizationIds)] });
  const names = new Map(found.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? nameless(id);
}

/** The organizations at which some of these results wait. */
export function organizationsOfHeld(
  rows: readonly Pick<ResultRow, "organization_id" | "status" | "held_at">[],
): number[] {
  return rows.filter((row) => heldSince(row)).map((row) => row.organization_id);
}
