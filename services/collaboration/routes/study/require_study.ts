import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import type { StudyPlace } from "../../../../shared/contract/place_permissions.ts";
import { studyById, studyMembers, type StudyRow } from "../../store/study.ts";

/** The study that the id in a path names, with its organizations; 404 when there is none. */
export async function requireStudy(
  db: Db,
  given: string | undefined,
): Promise<StudyRow & StudyPlace> {
  const id = pathId(given);
  const row = found(await studyById(db, id), "study", id);
  return { ...row, organization_ids: await studyMembers(db, id) };
}
