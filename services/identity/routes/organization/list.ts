import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { organization, organizationList } from "../../../../shared/contract/organization.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import {
  demand,
  mayCollaboration,
  type Principal,
  reachableOrganizations,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showOrganization } from "../../show.ts";
import { organizationRows } from "../../store/organization.ts";

const SORTABLE = ["id", "name", "domain", "address1", "address2", "zipcode", "country"];

export function listOrganizations(app: Hono<AppEnv>, { db, ask }: IdentityDeps): void {
  app.get(
    "/organization",
    allow(["user", "node", "container"], "organization:VIEW"),
    query(organizationList),
    answers(pageOf(organization), { does: "Those that the caller may see." }),
    async function listOrganizations(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where = inReach(db, principal);
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.country !== undefined) where.push(db`country = ${wanted.country}`);
      if (wanted.ids) where.push(db`id = any(${wanted.ids})`);
      where.push(...await membersOf(principal, wanted));
      return await listAnswer(c, {
        wanted,
        source: organizationRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => rows.map(showOrganization),
      });
    },
  );

  /** The members of a collaboration, of a study, or of both. */
  async function membersOf(
    principal: Principal,
    { collaboration_id, study_id }: {
      collaboration_id?: number | undefined;
      study_id?: number | undefined;
    },
  ): Promise<Fragment[]> {
    if (collaboration_id === undefined && study_id === undefined) return [];
    const { collaboration, study } = await ask("collaboration", "scope", {
      ...(collaboration_id === undefined ? {} : { collaboration_id }),
      ...(study_id === undefined ? {} : { study_id }),
    });
    const where: Fragment[] = [];
    // Each on its own: whoever sees the study need not see the collaboration that is named beside
    // it.
    if (collaboration_id !== undefined) {
      demandCollaboration(principal, collaboration?.id);
      where.push(db`id = any(${collaboration?.organization_ids ?? []})`);
    }
    if (study_id !== undefined) {
      demandCollaboration(principal, study?.collaboration_id);
      where.push(db`id = any(${study?.organization_ids ?? []})`);
    }
    return where;
  }
}

/** The organizations that the caller may see at all. */
function inReach(db: Db, principal: Principal): Fragment[] {
  const scope = widestScope(principal, "organization:VIEW");
  if (scope === "COLLABORATION") return [db`id = any(${reachableOrganizations(principal)})`];
  if (scope === "ORGANIZATION") return [db`id = ${principal.organization_id}`];
  return [];
}

function demandCollaboration(principal: Principal, id: number | undefined): void {
  const allowed = mayCollaboration(principal, "organization:VIEW", id ?? null);
  demand(allowed, "view the organizations of that collaboration");
}
