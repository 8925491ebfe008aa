/**
 * Who is logged in, as the hub decides by it: so the page shows what they may do, by the hub's own
 * rules. The hub decides anew in any case.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import { client, may, me } from "../session/session.ts";
import { membersOf } from "./names.ts";

/** Asked on each screen: memberships change. */
export async function askWho(signal: AbortSignal): Promise<Principal> {
  const who = me.value;
  if (who === undefined || who === "unknown") throw new Error("Nobody is logged in");
  const { id, username, organizationId: organization_id, rules } = who;
  const collaborations = may("collaboration:VIEW")
    ? await client.collaborations
      .list({ organization_id, include: "organizations" }, { signal }).all()
    : [];
  return {
    kind: "user",
    id,
    username,
    organization_id,
    rules: [...rules],
    collaborations: collaborations.map((one) => ({
      id: one.id,
      organization_ids: membersOf(one).map((member) => member.id),
    })),
  };
}
