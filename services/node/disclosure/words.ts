/**
 * What an algorithm says when it fails, as far as it leaves a site that has rules: a message may be
 * a value. What stays is kept for the owner.
 * @module
 */
import { join } from "node:path";
import type { FinalStatus } from "../../../shared/node_protocol/status.ts";
import type { Exit, Words } from "./exit.ts";

/** Kinds of errors that every program has. */
const KINDS = [
  "AggregateError",
  "Error",
  "EvalError",
  "InternalError",
  "NotCapable",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
];
/** Errors of the node's own algorithms whose messages are written to leave: they tell no value. */
const WRITTEN_TO_LEAVE = ["TableError", "ConditionError", "PartError", "DisclosureError"];

/**
 * The text of an error as it leaves: its kind and where it was thrown, without its message; or all
 * of it. `file` is what people call the algorithm.
 */
export function wordsThatLeave(text: string, words: Words, file: string): string {
  if (words === "all") return text;
  if (words === "none") return "It failed; what it said stays at this site.";
  const [, name = ""] = /^([A-Za-z]{1,40}): /.exec(text) ?? [];
  if (words === "own" && WRITTEN_TO_LEAVE.includes(name)) return text;
  const kind = KINDS.includes(name) ? name : "Error";
  // Lines and columns alone: a name of a function is the algorithm's word, too.
  const places = [...text.matchAll(new RegExp(`${RegExp.escape(file)}:(\\d{1,6}):(\\d{1,6})`, "g"))]
    .map(([, line, column]) => `\n    at ${file}:${line}:${column}`);
  return `${kind}: what it says stays at this site, as its rules on what may leave want.` +
    places.slice(0, 3).join("");
}

/**
 * How a run that did not complete ends for whoever asked, where its algorithm is to say nothing:
 * what ended it is not told either, for it could choose that. `undefined` where it is told.
 */
export function endWithoutWords(
  { words, rules }: Pick<Exit, "words" | "rules">,
): { status: FinalStatus; reason: string } | undefined {
  if (words !== "none") return undefined;
  return {
    status: "failed",
    reason: "The run did not complete; why stays at this site, as its rules on what may leave " +
      `(profile ${rules!.profile}) want of algorithms that it does not trust.`,
  };
}

const FOLDER = "kept_words";
/** Runs whose words are kept. */
const MOST_KEPT = 500;

/** Keeps what a run has said for the node's owner, in `kept_words` of the data folder. */
export async function keepWords(dataFolder: string, name: string, text: string): Promise<void> {
  const folder = join(dataFolder, FOLDER);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(join(folder, `${name}.log`), text, { mode: 0o600 });
  const files = await Array.fromAsync(Deno.readDir(folder));
  if (files.length <= MOST_KEPT + 50) return;
  const found = await Promise.all(
    files.map(async (file) => {
      const path = join(folder, file.name);
      return { path, at: (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? 0 };
    }),
  );
  found.sort((one, other) => other.at - one.at);
  for (const { path } of found.slice(MOST_KEPT)) await Deno.remove(path).catch(() => {});
}
