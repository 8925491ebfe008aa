/**
 * Which nodes a list is about: those that the caller may see, of what was asked for.
 * @module
 */
import {
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import { nodeListReach } from "../../rules.ts";
import { studyById, studyMembers } from "../../store/study.ts";

export interface WantedNodes {
  organization_id?: number | undefined;
  collaboration_id?: number | undefined;
  study_id?: number | undefined;
}

/**
 * Conditions on nodes. Refuses what the caller may not see; 400 when there is no such study.
 */
export async function nodesInReach(
  db: Db,
  principal: Principal,
  { organization_id, collaboration_id, study_id }: WantedNodes,
): Promise<Fragment[]> {
  const where = inReach(db, principal);
  if (organization_id !== undefined) {
    const allowed = mayOrganization(principal, "node:VIEW", organization_id);
    demand(allowed, `view the nodes of organization ${organization_id}`);
    where.push(db`organization_id = ${organization_id}`);
  }
  if (collaboration_id !== undefined) {
    const allowed = mayCollaboration(principal, "node:VIEW", collaboration_id);
    demand(allowed, `view the nodes of collaboration ${collaboration_id}`);
    where.push(db`collaboration_id = ${collaboration_id}`);
  }
  if (study_id !== undefined) where.push(...await ofStudy(db, principal, study_id));
  return where;
}

/** The nodes that the caller may see at all. */
function inReach(db: Db, principal: Principal): Fragment[] {
  const reach = nodeListReach(principal);
  if (reach === "all") return [];
  return [
    reach === "own organization"
      ? db`organization_id = ${principal.organization_id}`
      : db`collaboration_id = any(${reach})`,
  ];
}

/** The nodes of a study's organizations, in its collaboration. */
async function ofStudy(db: Db, principal: Principal, studyId: number): Promise<Fragment[]> {
  const study = await studyById(db, studyId);
  if (!study) throw new SextantError("invalid_request", `There is no study ${studyId}.`);
  const allowed = mayCollaboration(principal, "node:VIEW", study.collaboration_id);
  demand(allowed, `view the nodes of study ${studyId}`);
  const organizations = await studyMembers(db, studyId);
  return [
    db`collaboration_id = ${study.collaboration_id}`,
    db`organization_id = any(${organizations})`,
  ];
}
