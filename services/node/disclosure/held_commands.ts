/**
 * What `deno task node held` does: the owner looks at results that wait, and decides. The commands
 * and the agent talk through files in the data folder, so that neither needs the other to run.
 * @module
 */
import { userInfo } from "node:os";
import { UsageError, wholeNumber } from "../../../shared/command_line/read_args.ts";
import { ChangedFileError } from "../payload/pieces.ts";
import { isAgentThere } from "../record/agent_status.ts";
import { decideHeld, listWaiting, LONGEST_REASON, readReason } from "./decide_held.ts";
import { type HeldDecision, heldFolder, type HeldNote, readerOf } from "./held_files.ts";
import { about, showHeldList, showResult, visible } from "./held_text.ts";

export const HELD_HELP = `       deno task node held --config FILE
       deno task node held show RUN --config FILE [--page N]
       deno task node held release RUN --config FILE --reason TEXT
       deno task node held refuse RUN --config FILE --reason TEXT
`;

/** What stands behind `held` on the command line. */
export interface HeldOptions {
  dataFolder: string;
  words: string[];
  reason?: string | undefined;
  page?: string | undefined;
}

/** Text for people, and the exit code. */
export interface Said {
  text: string;
  code: number;
}

/** Carries out a command. Throws a {@linkcode UsageError} for one that is none. */
export async function runHeld({ dataFolder, words, reason, page }: HeldOptions): Promise<Said> {
  const [verb = "list", number, ...more] = words;
  if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many`);
  if (verb === "list") {
    if (number !== undefined) throw new UsageError(`"${number}" is one word too many`);
    return { text: showHeldList(await listWaiting(dataFolder), new Date()), code: 0 };
  }
  if (!["show", "release", "refuse"].includes(verb)) {
    throw new UsageError(`There is no "held ${verb}": it is show, release or refuse`);
  }
  if (number === undefined) throw new UsageError(`held ${verb} needs the number of a run`);
  if (!/^\d{1,10}$/.test(number)) throw new UsageError(`"${number}" is no number of a run`);
  const id = Number(number);
  const given = verb === "show" ? "" : checkReason(`held ${verb}`, reason);
  const note = (await listWaiting(dataFolder)).find(({ result_id }) => result_id === id);
  if (!note) {
    const text = `No result of run ${id} waits here; deno task node held lists those that do.`;
    return { text, code: 1 };
  }
  if (verb === "show") return await show(dataFolder, note, wholeNumber("page", page ?? "1", 1));
  return await decide(dataFolder, note, verb as HeldDecision["is"], given);
}

/** The reason that a command was given. Throws a {@linkcode UsageError} for none. */
export function checkReason(command: string, reason: string | undefined): string {
  const text = reason?.trim() ?? "";
  if (text === "") {
    const reader = command === "held refuse" ? "whoever asked reads it, and the" : "the";
    throw new UsageError(`${command} needs --reason TEXT: ${reader} audit log keeps it`);
  }
  if (readReason(text) === undefined) {
    throw new UsageError(
      `--reason must be one line of at most ${LONGEST_REASON} visible characters`,
    );
  }
  return text;
}

/** What the journal has as held, with the notes of it. */
async function show(dataFolder: string, note: HeldNote, page: number): Promise<Said> {
  const read = readerOf(heldFolder(dataFolder), note);
  const shown = await showResult({ size: note.size, read }, page).catch((error) => {
    if (!(error instanceof ChangedFileError)) throw error;
    return error.message;
  });
  if (typeof shown === "string") return { text: visible(shown), code: 1 };
  if (page > shown.pages) {
    return { text: `There is no page ${page}: the last one is ${shown.pages}.`, code: 1 };
  }
  const parts = page === 1 ? [about(note).join("\n"), shown.text] : [shown.text];
  if (page === 1 && note.log) parts.push(`It also printed:\n${visible(note.log, { lines: true })}`);
  if (shown.pages > 1) {
    parts.push(`Page ${page} of ${shown.pages}; --page ${page + 1} goes on.`);
  }
  return { text: parts.join("\n\n"), code: 0 };
}

async function decide(
  dataFolder: string,
  note: HeldNote,
  is: HeldDecision["is"],
  reason: string,
): Promise<Said> {
  const before = await decideHeld(dataFolder, note, { is, reason, by: userInfo().username });
  const past = { release: "released", refuse: "refused" };
  if (before) {
    const text = `Run ${note.result_id} was ${past[before.is]} already, by ${before.by} at ` +
      `${before.at}: ${before.reason}`;
    return { text: visible(text), code: 1 };
  }
  const what = is === "release" ? "its result leaves" : "whoever asked is told";
  const when = await isAgentThere(dataFolder)
    ? `${what} now`
    : `${what} when the agent runs again; it does not now`;
  return { text: `Run ${note.result_id} is ${past[is]}: ${when}.`, code: 0 };
}
