/**
 * The process that computes what is asked of a run's tables, beside its algorithm and behind the
 * same walls: it may read the files of columns, and nothing else.
 *
 * Takes JSON lines on its standard input, first a {@linkcode Setting}, then {@linkcode Asked}, and
 * answers each of these with one line, a {@linkcode Told}.
 * @module
 */
import type { DisclosureRules } from "../../algorithms/api.ts";
import type { SelectedRows } from "../../algorithms/sextant/selection.ts";
import { readFootOf } from "../../data/columns_file.ts";
import { openTable, TableError } from "../../data/table.ts";
import { readLines } from "../../sandbox/read_lines.ts";
import { answer, type Answered } from "./answer.ts";
import type { Question } from "./questions.ts";
import { openSession, type Session } from "./session.ts";

export interface Setting {
  databases: { label: string; path: string }[];
  rules: DisclosureRules | null;
}

export interface Asked {
  id: number;
  question: Question;
}

/**
 * `selections` are those rows of the table on which the answer rests; `failed` where it says
 * nothing but that something is wrong with them.
 */
export type Told = ({ id: number; selections: SelectedRows[] } & Answered) | {
  id: number;
  error: string;
};

const sessions = new Map<string, Session>();

function tell(
  { databases, rules }: Setting,
  question: Question,
): Omit<Extract<Told, Answered>, "id"> {
  const { label } = question;
  const { path } = databases.find((one) => one.label === label)!;
  if (question.ask === "describe") {
    return { value: describe(label, path), failed: false, selections: [] };
  }
  let session = sessions.get(label);
  if (!session) {
    sessions.set(
      label,
      session = openSession(openTable(label, path, { tellsRows: !rules }), rules),
    );
  }
  session.used.length = 0;
  return { ...answer(session, question), selections: session.used };
}

function describe(label: string, path: string): object {
  const { columns, namesMayLeave } = readFootOf(path);
  if (namesMayLeave) return { columns: columns.map(({ name, type }) => ({ name, type })) };
  throw new TableError(
    `The names of the columns of the database "${label}" are not told: the owner of this node has ` +
      "not set share_columns.",
  );
}

const lines = readLines();
const setting = (await lines.next()).value as Setting;
for await (const line of lines) {
  const { id, question } = line as Asked;
  let told: Told;
  try {
    told = { id, ...tell(setting, question) };
  } catch (error) {
    told = { id, error: error instanceof Error ? error.message : String(error) };
  }
  const bytes = new TextEncoder().encode(`${JSON.stringify(told)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
