/**
 * Reading rows of a model: one, some, or the first page of very many.
 * @module
 */
import { all, type Fragment, type Tx } from "../../../shared/storage/db.ts";
import type { Description, Row } from "../models/description.ts";

/** How many records a list holds at most, unless its caller asks for another number. */
export const PAGE_ROWS = 1000;
/** How many bytes of payload a list holds at most; the first record is always there. */
const PAGE_BYTES = 32 * 2 ** 20;
/** A longer text is left out: it would not fit on any screen, and hardly into memory. */
export const LONGEST_TEXT = 64 * 2 ** 20;

export interface Selection {
  where: Fragment[];
  limit: number;
  offset?: number;
  descending?: boolean;
}

export interface SelectedRows {
  rows: Row[];
  /** Whether there are more than these. */
  more: boolean;
}

/** Columns of the table that the model shows; large ones only up to a length. */
function columnsOf(tx: Tx, { fields, relations }: Description): Fragment {
  const large = new Set<string>();
  const names = new Set<string>();
  for (const field of Object.values(fields)) {
    if (field.virtual) continue;
    names.add(field.column);
    if (field.large) large.add(field.column);
  }
  for (const relation of Object.values(relations)) {
    if (relation.kind === "one") names.add(relation.column);
  }
  return [...names]
    .map((name): Fragment =>
      large.has(name)
        ? tx`case when octet_length(${tx(name)}) <= ${LONGEST_TEXT} then ${tx(name)} end as ${
          tx(name)
        }`
        : tx`${tx(name)}`
    )
    .reduce((left, right) => tx`${left}, ${right}`);
}

/** The bytes in a row's large columns; an expression that reads none of them. */
function sizeOf(tx: Tx, { fields }: Description): Fragment {
  return Object.values(fields)
    .filter((field) => field.large)
    .map((field): Fragment => tx`coalesce(octet_length(${tx(field.column)}), 0)`)
    .reduce((left, right) => tx`${left} + ${right}`, tx`0`);
}

/** The first rows that match, by id, within the limits of one list. */
export async function selectRows(
  tx: Tx,
  description: Description,
  selection: Selection,
): Promise<SelectedRows> {
  const { limit, offset = 0, descending = false } = selection;
  const table = tx(description.table);
  const order = descending ? tx`id desc` : tx`id`;
  const extra = description.extraColumns ? tx`, ${description.extraColumns(tx)}` : tx``;
  // The ids first, with the sizes of what is beside them: no more is read than a list may hold.
  const found = await tx<{ id: number; size: number }[]>`
    select id, (${sizeOf(tx, description)})::float8 as size
    from ${table} where ${all(tx, selection.where)}
    order by ${order} limit ${limit + 1} offset ${offset}`;
  const ids = withinPage(found.slice(0, limit));
  const rows = ids.length === 0 ? [] : await tx<Row[]>`
    select ${columnsOf(tx, description)} ${extra}
    from ${table} where id = any(${ids}) order by ${order}`;
  return { rows: [...rows], more: found.length > ids.length };
}

/** As many ids, from the first on, as fit into one list. */
function withinPage(found: { id: number; size: number }[]): number[] {
  let bytes = 0;
  const end = found.findIndex(({ size }) => (bytes += size) > PAGE_BYTES);
  return found.slice(0, end === -1 ? undefined : Math.max(end, 1)).map(({ id }) => id);
}

/** How many rows the table has, as the planner guesses it; `undefined` when it cannot. */
export async function estimatedRows(tx: Tx, { table }: Description): Promise<number | undefined> {
  const [row] = await tx<{ count: number }[]>`
    select reltuples::float8 as count from pg_class
    where relname = ${table} and relnamespace = current_schema()::regnamespace`;
  return row && row.count > 0 ? Math.round(row.count) : undefined;
}
