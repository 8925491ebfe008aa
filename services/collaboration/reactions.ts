/**
 * What collaboration does when it hears of a change elsewhere: an organization that is gone loses
 * its memberships, places in studies and nodes.
 * @module
 */
import type { SextantEvent } from "../../shared/messages/events.ts";
import { removeMemberEverywhere } from "./changes/collaboration.ts";
import type { CollaborationDeps } from "./deps.ts";
import { missingOrganizations, shutOut } from "./questions.ts";
import { knownOrganizations } from "./store/collaboration.ts";

/** The events this service hears, as its durable consumer asks for them. */
export const HEARD = "event.organization.deleted";

/** Does what an event asks for; the same event may come twice. */
export async function hearEvent(event: SextantEvent, deps: CollaborationDeps): Promise<void> {
  if (event.name === "organization.deleted") {
    await forgetOrganization(event.data.organization_id, deps);
  }
}

async function forgetOrganization(organizationId: number, deps: CollaborationDeps): Promise<void> {
  const nodes = await deps.outbox.change((change) =>
    removeMemberEverywhere(change, organizationId)
  );
  await shutOut(deps, nodes);
}

const COMPARED_AT_ONCE = 1000;

/**
 * Forgets organizations that identity does not know, in case the event that told of it was lost.
 * When identity knows none at all, it is identity's database that is wrong, and nothing is
 * forgotten.
 */
export async function forgetLostOrganizations(deps: CollaborationDeps): Promise<void> {
  const { db, ask, log } = deps;
  const lost: number[] = [];
  let known = 0;
  for (let after = 0;;) {
    const ids = await knownOrganizations(db, { after, limit: COMPARED_AT_ONCE });
    if (ids.length === 0) break;
    const missing = await missingOrganizations(ask, ids);
    lost.push(...missing);
    known += ids.length - missing.length;
    after = ids.at(-1)!;
  }
  if (lost.length > 0 && known === 0) {
    return log.error("identity knows none of the organizations here; nothing is deleted", {
      organizations: lost.length,
    });
  }
  for (const id of lost) {
    log.warn("An organization is gone without an event; it is forgotten", { organization_id: id });
    await forgetOrganization(id, deps);
  }
}
