/**
 * What the records of the audit record say, as it is digested.
 * @module
 */
import type { Tx } from "./db.ts";

/** Records read at once. */
const BATCH = 1000;

export interface RecordLine {
  id: number;
  line: string;
}

/** The records with ids above `after` and up to `till`, in their order, some at a time. */
export async function* recordLines(
  tx: Tx,
  after: number,
  till: number,
): AsyncGenerator<RecordLine[]> {
  for (let from = after, more = true; more;) {
    // The database writes the line, so that what is digested is what is stored.
    const rows = await tx<RecordLine[]>`
    select id::float8 as id, json_build_array(id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      request_id, who_kind, who_id, who_organization_id, what, object, object_id, outcome, status,
      code, method, path, data::text)::text as line
    from audit where audit.id > ${from} and audit.id <= ${till} order by audit.id limit ${BATCH}`;
    if (rows.length > 0) yield rows;
    more = rows.length === BATCH;
    from = rows.at(-1)?.id ?? till;
  }
}
