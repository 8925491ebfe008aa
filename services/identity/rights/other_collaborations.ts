import { isMember, type Principal } from "../../../shared/contract/permissions.ts";
import type { Ask } from "../../../shared/messages/questions.ts";

/**
 * Whether an organization works in a collaboration that the caller's does not. See `rulesToGive()`
 * for what follows.
 */
export async function worksInOtherCollaborations(
  ask: Ask,
  principal: Principal,
  organization_id: number,
): Promise<boolean> {
  if (organization_id === principal.organization_id) return false;
  const memberships = await ask("collaboration", "memberships", { organization_id });
  return memberships.some(({ id }) => !isMember(principal, id));
}
