/**
 * The owner's decision about a held result, by the command or by the page at the node: both go
 * through here. It is a file in the data folder; the agent follows it and puts it into the audit
 * log.
 * @module
 */
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { readJournalStates } from "../record/journal.ts";
import {
  type HeldDecision,
  heldFolder,
  type HeldNote,
  listHeld,
  readDecision,
  writeDecision,
} from "./held_files.ts";
import { visible } from "./held_text.ts";

export const LONGEST_REASON = 500;

/** Those that the journal in the data folder has as held, the oldest first. */
export async function listWaiting(dataFolder: string): Promise<HeldNote[]> {
  const states = await readJournalStates(dataFolder);
  const notes = await listHeld(heldFolder(dataFolder));
  return notes.filter((note) => states.get(attemptKey(note)) === "held");
}

/** A reason that can be kept, trimmed; `undefined` for one that cannot. */
export function readReason(reason: string): string | undefined {
  const text = reason.trim();
  const can = text !== "" && text.length <= LONGEST_REASON && visible(text) === text;
  return can ? text : undefined;
}

/** Decides; the first decision stays. Resolves to the one that was there before, which counts. */
export async function decideHeld(
  dataFolder: string,
  attempt: AttemptId,
  { is, reason, by }: Pick<HeldDecision, "is" | "reason" | "by">,
): Promise<HeldDecision | undefined> {
  const folder = heldFolder(dataFolder);
  const decision = { is, reason, by, at: new Date().toISOString() };
  return await readDecision(folder, attempt) ?? await writeDecision(folder, attempt, decision);
}
