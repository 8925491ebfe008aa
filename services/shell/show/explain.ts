/**
 * What went wrong, in one line that names the field.
 * @module
 */
import { asUnavailable } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { DESCRIPTIONS } from "../models/all.ts";
import { harmless, oneLine, ShellError } from "../errors.ts";

/** The parts of a Postgres error that are read here; the driver's names. */
interface DatabaseFault {
  code: string;
  message: string;
  detail?: string;
  table?: string;
  column?: string;
  constraint?: string;
}

function isDatabaseFault(error: unknown): error is DatabaseFault {
  return error instanceof Error && error.name === "PostgresError";
}

/** The name at the prompt of a column: of a field, of a relation, or of the input that fills it. */
function propertyOf(table: string | undefined, column: string): string {
  const description = DESCRIPTIONS.find((one) => one.table === table);
  const { fields = {}, relations = {} } = description ?? {};
  for (const [name, field] of Object.entries(fields)) if (field.column === column) return name;
  for (const [name, relation] of Object.entries(relations)) {
    if (relation.kind === "one" && relation.column === column) return name;
  }
  return FILLED_BY[column] ?? column;
}

/** Columns that are no field because of what they hold. */
const FILLED_BY: Record<string, string> = {
  password_hash: "password",
  api_key_sha256: "apiKey",
};
const HELD_BACK = new Set(Object.keys(FILLED_BY));

/** The columns and values in `Key (a, b)=(1, 2) already exists.` */
function keyOf(detail: string | undefined): { columns: string[]; values: string } | undefined {
  const match = /^Key \((.+?)\)=\((.*)\) /s.exec(detail ?? "");
  return match ? { columns: match[1]!.split(", "), values: match[2]! } : undefined;
}

/** Says what the database refused. */
function explainFault(fault: DatabaseFault): string {
  const model = DESCRIPTIONS.find((one) => one.table === fault.table)?.name;
  const where = model ? `${model}: ` : "";
  const key = keyOf(fault.detail);
  const names = key?.columns.map((column) => propertyOf(fault.table, column)) ?? [];
  const shown = key && !key.columns.some((column) => HELD_BACK.has(column))
    ? ` ${JSON.stringify(key.values.slice(0, 100))}`
    : "";
  switch (fault.code) {
    case "23502":
      return `${where}${propertyOf(fault.table, fault.column ?? "?")} is missing`;
    case "23505":
      return `${where}${names.join(" and ")}${shown} exists already`;
    case "23503":
      if (fault.constraint === "node_of_member") return explainMembership(fault);
      return / is still referenced /.test(fault.detail ?? "")
        ? `${where}it is still used: ${oneLine(fault.detail ?? fault.message)}`
        : `${where}${names.join(" and ")}${shown} does not exist`;
    case "23514":
      return `${where}a value is not allowed (${fault.constraint}): ${
        oneLine(fault.detail ?? fault.message).slice(0, 160)
      }`;
    default:
      return `The database refuses: ${oneLine(fault.message)}`;
  }
}

function explainMembership({ detail }: DatabaseFault): string {
  return / is still referenced /.test(detail ?? "")
    ? "Collaboration: organizations: one that is taken out still has a node there; delete the node first"
    : "Node: organization is not a member of the collaboration";
}

/**
 * What was thrown, for the operator: one line, or as many as the message has that some code of
 * theirs threw.
 */
export function explain(thrown: unknown): string {
  const error = asUnavailable(thrown);
  if (error !== thrown) {
    const cause = oneLine((thrown as Error).message || String((thrown as { code?: string }).code));
    return `The database is not answering (${cause}); nothing was changed by this. Try again in a moment.`;
  }
  if (isDatabaseFault(error)) return explainFault(error);
  if (error instanceof ShellError || error instanceof SextantError) return harmless(error.message);
  if (error instanceof Error) {
    // What a module's text is refused for comes with two names.
    const named = error.name === "Error" || /^SyntaxError: /.test(error.message);
    return harmless(named ? error.message : `${error.name}: ${error.message}`).trimEnd();
  }
  return harmless(`Thrown: ${typeof error === "string" ? error : Deno.inspect(error)}`);
}
