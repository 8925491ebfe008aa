import type { Principal } from "../../../../shared/contract/permissions.ts";
import { found } from "../../../../shared/contract/validate.ts";
import { updateRole } from "../../changes/role.ts";
import type { IdentityDeps } from "../../deps.ts";
import { worksInOtherCollaborations } from "../../rights/other_collaborations.ts";
import { changedIds, requireHoldsAll, requireMayGive } from "../../rules.ts";
import { lockRole, type RoleRow, type RoleValues } from "../../store/role.ts";
import { ruleNamesByIds, rulesOfRole } from "../../store/rule.ts";

export interface RuleChange {
  principal: Principal;
  role: RoleRow;
  /** The ids of the rules that the role is to have, of those that it has. */
  decide: (before: number[]) => number[];
  values?: RoleValues;
}

/** Gives a role other rules, which the caller must hold: what is given and what is taken. */
export async function changeRules(
  { ask, outbox }: Pick<IdentityDeps, "ask" | "outbox">,
  { principal, role: { id, organization_id }, decide, values = {} }: RuleChange,
): Promise<RoleRow> {
  const worksInOthers = organization_id !== null &&
    await worksInOtherCollaborations(ask, principal, organization_id);
  return await outbox.change(async (change) => {
    // Two changes of one role must not each decide on what the other is about to replace.
    found(await lockRole(change.tx, id), "role", id);
    const before = (await rulesOfRole(change.tx, id)).map((rule) => rule.id);
    const rules = decide(before);
    const changed = changedIds(before, rules);
    requireHoldsAll(principal, await ruleNamesByIds(change.tx, changed));
    const added = rules.filter((rule) => !before.includes(rule));
    requireMayGive(principal, {
      rules: await ruleNamesByIds(change.tx, added),
      organizationId: organization_id ?? principal.organization_id,
      worksInOthers,
    });
    return await updateRole(change, id, changed.length > 0 ? { ...values, rules } : values);
  });
}
