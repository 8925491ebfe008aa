/**
 * Queries that tasks bring along for SQL databases. A query makes the table that the rules then
 * look at: it can give one person's row a hundred times with a hundred names, or say what a person
 * has by whether it fails. So under rules it names columns of one table or view, and does nothing
 * else; which rows count is the algorithm's `where`, which the rules know.
 * @module
 */
import type { WantedDatabase } from "../data/databases.ts";
import { CannotStart } from "../run/cannot_start.ts";

const NAME = String.raw`(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")`;
const PLAIN = new RegExp(
  String.raw`^\s*select\s+(\*|${NAME}(?:\s*,\s*${NAME})*)\s+from\s+${NAME}(?:\.${NAME})?\s*;?\s*$`,
  "i",
);
/** Words that are names nowhere, but functions without brackets, values, or clauses. */
const WORDS = new Set(
  ("all any array as asc both case cast collate current_catalog current_date current_role " +
    "current_schema current_time current_timestamp current_user default desc distinct else end " +
    "except false for from group having in intersect into lateral limit localtime " +
    "localtimestamp not null offset on only or order random rowid select session_user some " +
    "system_user table then true union unique user using values when where window with")
    .split(" "),
);

export function isPlainQuery(query: string): boolean {
  const [, columns] = PLAIN.exec(query) ?? [];
  if (columns === undefined) return false;
  const names = columns === "*" ? [] : columns.split(",").map((name) => name.trim());
  // A column twice could stand for two.
  return new Set(names).size === names.length &&
    names.every((name) => name.startsWith('"') || !WORDS.has(name.toLowerCase()));
}

/** Throws a {@linkcode CannotStart} where a task gives a database a query that does more. */
export function requirePlainQueries(wanted: readonly WantedDatabase[]): void {
  for (const { database: { label }, wanted: { query } } of wanted) {
    if (typeof query !== "string" || isPlainQuery(query)) continue;
    throw new CannotStart(
      `The rules of this site on what may leave take a query of the database "${label}" only if it ` +
        "is plain: select <names of columns, or *> from <a table or view>. Choose rows with the " +
        'argument "where"; the owner can offer a view, or take any query (disclosure.queries: any).',
      "not allowed",
    );
  }
}
