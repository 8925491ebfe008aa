/**
 * Changes of studies, with what is told of them.
 * @module
 */
import { SextantError } from "../../../shared/service/errors.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { found } from "../../../shared/contract/validate.ts";
import { lockMembers } from "../store/collaboration.ts";
import {
  addStudyMembers,
  deleteStudy,
  insertStudy,
  lockStudy,
  removeStudyMembers,
  studyMembers,
  type StudyRow,
  updateStudyName,
} from "../store/study.ts";

export interface NewStudy {
  name: string;
  collaboration_id: number;
  organization_ids: number[];
}

/** Makes a study of members of its collaboration; 400 when one is none. */
export async function createStudy(
  { tx, emit }: Change,
  { organization_ids, ...values }: NewStudy,
): Promise<StudyRow> {
  await requireMembers(tx, values.collaboration_id, organization_ids);
  const row = await insertStudy(tx, values, organization_ids);
  emit("study.changed", { study_id: row.id, collaboration_id: row.collaboration_id });
  return row;
}

/**
 * Changes the name, or puts other organizations in place of those that are in it; 404 when the
 * study is gone.
 */
export async function updateStudy(
  { tx, emit }: Change,
  { id, collaboration_id }: StudyRow,
  { name, organization_ids }: {
    name?: string | undefined;
    organization_ids?: number[] | undefined;
  },
): Promise<StudyRow> {
  if (organization_ids) await requireMembers(tx, collaboration_id, organization_ids);
  let row = found(await lockStudy(tx, id), "study", id);
  if (name !== undefined) row = await updateStudyName(tx, id, name);
  if (organization_ids) {
    await removeStudyMembers(tx, id, await studyMembers(tx, id));
    await addStudyMembers(tx, id, organization_ids);
  }
  emit("study.changed", { study_id: id, collaboration_id });
  return row;
}

/** Adds an organization; one that is in it already stays in it. */
export async function addToStudy(
  { tx, emit }: Change,
  { id, collaboration_id }: StudyRow,
  organizationId: number,
): Promise<void> {
  await requireMembers(tx, collaboration_id, [organizationId]);
  found(await lockStudy(tx, id), "study", id);
  await addStudyMembers(tx, id, [organizationId]);
  emit("study.changed", { study_id: id, collaboration_id });
}

/** Takes an organization out; 404 when it is not in the study. */
export async function removeFromStudy(
  { tx, emit }: Change,
  { id, collaboration_id }: StudyRow,
  organizationId: number,
): Promise<void> {
  if (await removeStudyMembers(tx, id, [organizationId]) === 0) {
    throw new SextantError("not_found", `Organization ${organizationId} is not in study ${id}.`);
  }
  emit("study.changed", { study_id: id, collaboration_id });
}

/** Deletes a study. Its tasks go when the task service hears of it. */
export async function removeStudy(
  { tx, emit }: Change,
  { id, collaboration_id }: Pick<StudyRow, "id" | "collaboration_id">,
): Promise<void> {
  if (await deleteStudy(tx, id)) emit("study.deleted", { study_id: id, collaboration_id });
}

/**
 * Throws 400 unless all are members of the collaboration, and keeps them members until the change
 * is over.
 */
export async function requireMembers(
  tx: Tx,
  collaborationId: number,
  ids: number[],
): Promise<void> {
  const members = await lockMembers(tx, collaborationId);
  const outside = ids.filter((one) => !members.includes(one));
  if (outside.length > 0) {
    throw new SextantError(
      "invalid_request",
      `Organization ${outside.join(", ")} is not in collaboration ${collaborationId}.`,
    );
  }
}
