/**
 * The numbers of rows that are kept (`schema/021_row_count.sql`), for lists that would count them
 * each time.
 * @module
 */
import type { Fragment } from "./sql.ts";
import type { Tx } from "./statements.ts";

/**
 * SQL of how many rows a table has: all of them, or those of some groups. The table must be one
 * that is counted.
 */
export function keptCount(tx: Tx, table: string, groups: readonly number[] | "all"): Fragment {
  const which = groups === "all" ? tx`true` : tx`group_id = any(${groups})`;
  return tx`(
    select coalesce(sum(rows), 0) from row_count where table_name = ${table} and ${which})`;
}
