/**
 * The SQL of studies.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";

export interface StudyRow {
  id: number;
  name: string;
  collaboration_id: number;
}

const studyColumns = (tx: Tx) => tx`id, name, collaboration_id`;

export async function insertStudy(
  tx: Tx,
  values: { name: string; collaboration_id: number },
  organizationIds: number[],
): Promise<StudyRow> {
  const [row] = await tx<StudyRow[]>`
    insert into study ${tx(values)} returning ${studyColumns(tx)}`;
  await tx`
    insert into study_member (study_id, organization_id)
    select ${row!.id}, unnest(${organizationIds}::integer[])`;
  return row!;
}

export async function studyById(tx: Tx, id: number): Promise<StudyRow | undefined> {
  const [row] = await tx<StudyRow[]>`select ${studyColumns(tx)} from study where id = ${id}`;
  return row;
}

/** Lets nobody else change this study; `undefined` when it is gone. */
export async function lockStudy(tx: Tx, id: number): Promise<StudyRow | undefined> {
  const [row] = await tx<StudyRow[]>`
    select ${studyColumns(tx)} from study where id = ${id} for update`;
  return row;
}

export async function studyMembers(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ organization_id: number }[]>`
    select organization_id from study_member where study_id = ${id} order by organization_id`;
  return rows.map((row) => row.organization_id);
}

/** The same for many studies at once: id → organizations. */
export async function membersOfStudies(tx: Tx, ids: number[]): Promise<Map<number, number[]>> {
  const rows = await tx<{ id: number; organization_ids: number[] }[]>`
    select study_id as id, array_agg(organization_id order by organization_id) as organization_ids
    from study_member where study_id = any(${ids}) group by study_id`;
  return new Map(rows.map((row) => [row.id, row.organization_ids]));
}

export async function updateStudyName(tx: Tx, id: number, name: string): Promise<StudyRow> {
  const [row] = await tx<StudyRow[]>`
    update study set name = ${name} where id = ${id} returning ${studyColumns(tx)}`;
  return row!;
}

export async function addStudyMembers(tx: Tx, studyId: number, ids: number[]): Promise<void> {
  await tx`
    insert into study_member (study_id, organization_id)
    select ${studyId}, unnest(${ids}::integer[]) on conflict do nothing`;
}

/** Returns how many of them were in the study. */
export async function removeStudyMembers(tx: Tx, studyId: number, ids: number[]): Promise<number> {
  const gone = await tx`
    delete from study_member where study_id = ${studyId} and organization_id = any(${ids})`;
  return gone.count;
}

/** Whether there was such a study. */
export async function deleteStudy(tx: Tx, id: number): Promise<boolean> {
  return (await tx`delete from study where id = ${id}`).count > 0;
}

export function studyRows(db: Db): RowList<StudyRow> {
  return rowList<StudyRow>(db, { columns: studyColumns(db), from: db`study`, counted: "study" });
}
