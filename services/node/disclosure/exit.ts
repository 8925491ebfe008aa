/**
 * The exit: what of a run may leave the site, decided before anything is encrypted.
 * @module
 */
import type { Method } from "../algorithms/sextant/description.ts";
import { type ContentFile, writePieces } from "../payload/pieces.ts";
import { checkResult } from "./check_result.ts";
import type { DataAccess, Decision } from "./decision.ts";
import type { DisclosureRules } from "./rules.ts";

/**
 * Whose code it is, as far as the rules go: the node's own; one that its owner trusts; one that
 * gets no rows; one that gets them, and is held.
 */
export type Standing = "own" | "trusted" | "guarded" | "held";

/**
 * Which words of an algorithm leave in the reasons of runs: all; of errors that are written to
 * leave, and the place of others (see `words.ts`); the place; none.
 */
export type Words = "all" | "own" | "place" | "none";

/** What may leave of one run. */
export interface Exit {
  /** Null where the site has no rules. */
  rules: DisclosureRules | null;
  standing: Standing | undefined;
  access: DataAccess;
  /** Whether it may make subtasks, and ask of the hub: nobody looks at what it sends along. */
  maySend: boolean;
  words: Words;
  /**
   * Why all that comes of the run waits for a person, where it does: also that it failed, or left
   * nothing. The algorithm chooses that, by what it has seen.
   */
  waits?: string;
  /**
   * Of the node's own code: digests of rows that the node knows already from runs before, by which
   * this one says which rows its result rests on. They are hundreds of kilobytes, the same each
   * time.
   */
  knownRows?: () => readonly string[];
  /** Decides about what it returned. A file that is made in its place lies beside it. */
  decide(result: ContentFile): Promise<Decided>;
}

export type Decided = Decision & {
  /** Values before and after, where they were looked at. */
  counted?: { before: number; after: number };
  /** Which rows the result rests on, as the node's own code says; for the ledger alone. */
  evidence?: readonly unknown[];
};

/** Of a site without rules. */
export const OPEN_EXIT: Exit = {
  rules: null,
  standing: undefined,
  access: "rows",
  maySend: true,
  words: "all",
  decide: (result) => Promise.resolve({ is: "released", result, withheld: [] }),
};

/** What a run hears that may not make subtasks. */
export const NO_SUBTASKS =
  "The rules of this site on what may leave let a run that sees rows make no subtasks: what it would " +
  "send along could be rows. Describe the method that makes them as one that reads none, with " +
  'rows: "none", or ask the owner to list the algorithm as trusted.';

/** What such a run hears that asks for something beyond its site. */
export const NO_QUESTIONS =
  "The rules of this site on what may leave let a run that sees rows ask nothing of the hub: what it " +
  "asks for, and how often, could tell of them. Ask the owner to list the algorithm as trusted.";

/** The largest result that is looked at, whose values take some ten times as much memory. */
export const MOST_CHECKED_MIB = 32;

/** What lies where a result is changed for the way out. */
export function releasedPath({ path }: ContentFile): string {
  return `${path}.released`;
}

export interface DeclaredOptions {
  method: Pick<Method, "outputs">;
  rules: DisclosureRules;
  args: Readonly<Record<string, unknown>>;
  /** Whether what is not declared leaves. */
  trusted: boolean;
  /** Whether it is the node's own code, which says which rows a result rests on. */
  own?: boolean;
}

/** The name under which it says so. */
const EVIDENCE = "selections";

/** Decides about the result of a method that declares its outputs. */
export async function decideDeclared(
  result: ContentFile,
  { method: { outputs }, rules, args, trusted, own = false }: DeclaredOptions,
): Promise<Decided> {
  if (result.size > MOST_CHECKED_MIB * 2 ** 20) {
    return {
      is: "refused",
      reason:
        `The result is larger than the ${MOST_CHECKED_MIB} MiB that the rules of this site on ` +
        "what may leave can be held against. Ask for less at once.",
    };
  }
  const text = await Deno.readTextFile(result.path);
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (trusted) return { is: "released", result, withheld: [] };
    return {
      is: "refused",
      reason:
        "What the method returned is no object with the parts that it declares, so the rules " +
        "of this site on what may leave let nothing of it out.",
    };
  }
  const returned = value as Record<string, unknown>;
  const evidence = own ? takeEvidence(returned) : {};
  const { result: left, withheld, before, after } = checkResult(returned, {
    outputs,
    rules,
    args,
    trusted,
  });
  const decided = { is: "released" as const, withheld, counted: { before, after }, ...evidence };
  const json = JSON.stringify(left);
  if (json === text) return { ...decided, result };
  const bytes = new TextEncoder().encode(json);
  return { ...decided, result: await writePieces(releasedPath(result), [bytes]) };
}

/** Takes the evidence out of a result, where there is some. */
function takeEvidence(result: Record<string, unknown>): Pick<Decided, "evidence"> {
  if (!Object.hasOwn(result, EVIDENCE)) return {};
  const evidence = result[EVIDENCE];
  if (!Array.isArray(evidence)) throw new TypeError("The evidence of a result is no list");
  delete result[EVIDENCE];
  return { evidence };
}
