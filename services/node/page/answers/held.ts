/**
 * Held results, and the owner's decisions about them: the same functions as `deno task node held`.
 * @module
 */
import { userInfo } from "node:os";
import type { z } from "zod";
import {
  decideHeld,
  listWaiting,
  LONGEST_REASON,
  readReason,
} from "../../disclosure/decide_held.ts";
import { heldFolder, type HeldNote, readDecision, readerOf } from "../../disclosure/held_files.ts";
import { showResult, visible } from "../../disclosure/held_text.ts";
import { ChangedFileError } from "../../payload/pieces.ts";
import type { heldDecision, HeldResult, heldShown } from "../contract.ts";
import { Refusal } from "../refusal.ts";

/** Which one. */
interface Which {
  result_id: number;
  attempt: number;
}

export async function listHeldResults(dataFolder: string): Promise<HeldResult[]> {
  return await Promise.all((await listWaiting(dataFolder)).map((note) => show(dataFolder, note)));
}

/** A page of what would leave, as the command shows it. */
export async function showHeldResult(
  dataFolder: string,
  which: Which,
  page: number,
): Promise<z.infer<typeof heldShown>> {
  const note = await find(dataFolder, which);
  const read = readerOf(heldFolder(dataFolder), note);
  const shown = await showResult({ size: note.size, read }, page).catch((error) => {
    if (!(error instanceof ChangedFileError)) throw error;
    throw new Refusal(410, visible(error.message));
  });
  if (page > shown.pages) throw new Refusal(404, `There is no page ${page} of it.`);
  const log = note.log === null ? null : visible(note.log, { lines: true });
  return { ...shown, note: await show(dataFolder, note), log };
}

/** Releases or refuses; the first decision counts. */
export async function decideOnHeld(
  dataFolder: string,
  which: Which,
  { is, reason, sha256 }: z.infer<typeof heldDecision>,
): Promise<HeldResult> {
  const note = await find(dataFolder, which);
  if (note.sha256 !== sha256) throw new Refusal(409, "It is not the result that was shown.");
  const given = readReason(reason);
  if (given === undefined) {
    throw new Refusal(
      400,
      `A reason is one line of at most ${LONGEST_REASON} visible characters, and not empty.`,
    );
  }
  const by = `${userInfo().username}, by the page`;
  const before = await decideHeld(dataFolder, note, { is, reason: given, by });
  if (before) {
    const past = { release: "released", refuse: "refused" }[before.is];
    const said = `It was ${past} already, by ${before.by} at ${before.at}: ${before.reason}`;
    throw new Refusal(409, visible(said));
  }
  return await show(dataFolder, note);
}

async function find(dataFolder: string, { result_id, attempt }: Which): Promise<HeldNote> {
  const found = (await listWaiting(dataFolder))
    .find((note) => note.result_id === result_id && note.attempt === attempt);
  if (!found) throw new Refusal(404, `No result of run ${result_id} waits here.`);
  return found;
}

async function show(dataFolder: string, note: HeldNote): Promise<HeldResult> {
  const decision = await readDecision(heldFolder(dataFolder), note) ?? null;
  const { username = null, code = null, method = null, ...rest } = note;
  const { log: _, version: __, status: ___, reason: ____, ...about } = rest;
  return { ...about, username, code, method, decision };
}
