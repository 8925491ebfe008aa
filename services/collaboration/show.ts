/**
 * Rows as the API shows them.
 * @module
 */
import { listLink, referTo } from "../../shared/contract/references.ts";
import type { Study } from "../../shared/contract/study.ts";
import type { CollaborationDeps } from "./deps.ts";
import { withOrganizations } from "./organizations.ts";
import { membersOfStudies, type StudyRow } from "./store.ts";

export function showStudy(row: StudyRow): Study {
  return {
    id: row.id,
    name: row.name,
    collaboration: referTo("collaboration", row.collaboration_id),
    organizations: listLink("organization", "study_id", row.id),
    tasks: listLink("task", "study_id", row.id),
  };
}

/** Studies, with their organizations in place of the link to them where `include` asks for that. */
export async function showStudies(
  { db, ask }: Pick<CollaborationDeps, "db" | "ask">,
  rows: StudyRow[],
  include: string[] | undefined,
): Promise<Study[]> {
  const shown = rows.map(showStudy);
  if (!include?.includes("organizations")) return shown;
  return await withOrganizations(ask, shown, await membersOfStudies(db, rows.map(({ id }) => id)));
}
