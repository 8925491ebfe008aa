/**
 * The exit of a run whose result the ledger looks at, after the rules have let it out.
 * @module
 */
import type { Dispatch } from "../../../../shared/node_protocol/dispatch.ts";
import { type ContentFile, writePieces } from "../../payload/pieces.ts";
import { type Decided, type Exit, releasedPath } from "../exit.ts";
import type { DisclosureRules } from "../rules.ts";
import type { Ledger, Release, Verdict } from "./ledger.ts";
import { databasesOfRun, mainTable, NoPersonsError, type TableOfRun } from "./selections_of_run.ts";

export interface WithLedgerOptions {
  rules: DisclosureRules;
  ledger: Pick<Ledger, "decide">;
  dispatch: Dispatch;
  /** What the run reads. */
  tables: Promise<readonly TableOfRun[]>;
}

export function withLedger(
  exit: Exit,
  { rules, ledger, dispatch, tables }: WithLedgerOptions,
): Exit {
  let known: ReturnType<TableOfRun["known"]> | undefined;
  // Those of tables that are read only now are not waited for.
  let main: TableOfRun | undefined;
  tables.then((read) => main = mainTable(read), () => {});
  return {
    ...exit,
    ...exit.standing === "own" && {
      // They stay what they are until this run has ended.
      knownRows: () => [...(known = main?.known() ?? new Map()).keys()],
    },
    async decide(result) {
      const { evidence, ...decided } = await exit.decide(result);
      if (decided.is !== "released") return decided;
      let verdict: Verdict;
      try {
        const read = await tables;
        // Whoever chose rows of few learns as much as of none: else a choice of one person, and of
        // what that person has, would tell whether it has it.
        if (exit.standing === "own" && await someOfFew(read, rules)) {
          return await nothingOf(result, decided, "min_subset");
        }
        verdict = await ledger.decide({
          about: aboutOf(dispatch),
          databases: await databasesOfRun(read, evidence, known),
          least: rules.minSubset,
        });
      } catch (error) {
        if (!(error instanceof NoPersonsError)) throw error;
        return { is: "refused", reason: error.message };
      }
      if (verdict === "allowed") return decided;
      return exit.standing === "own"
        ? await nothingOf(result, decided, RULES[verdict])
        : { is: "refused", reason: REASONS[verdict] };
    },
  };
}

/** Why an answer of a guarded table may not be handed over, if it may not. */
export async function whyNotTold(
  { rules, ledger, dispatch, tables }: WithLedgerOptions,
  label: string,
  evidence: readonly unknown[],
): Promise<string | undefined> {
  try {
    const table = (await tables).find((one) => one.label === label)!;
    const databases = await databasesOfRun([table], evidence);
    const verdict = await ledger.decide({
      about: aboutOf(dispatch),
      databases,
      least: rules.minSubset,
    });
    return verdict === "allowed" ? undefined : REASONS[verdict];
  } catch (error) {
    if (!(error instanceof NoPersonsError)) throw error;
    return error.message;
  }
}

/** Whether preprocessing chose rows of fewer persons than anything may rest on. */
async function someOfFew(
  tables: readonly TableOfRun[],
  { minSubset }: DisclosureRules,
): Promise<boolean> {
  const chosen = await databasesOfRun(tables.filter(({ isFiltered }) => isFiltered));
  return chosen.some(({ selections: [all] }) => all!.persons < minSubset);
}

function aboutOf(dispatch: Dispatch): Release["about"] {
  return {
    task_id: dispatch.task_id,
    result_id: dispatch.result_id,
    user_id: dispatch.init_user_id,
    organization_id: dispatch.init_org_id,
    image: dispatch.image,
  };
}

const REASONS: Readonly<Record<Exclude<Verdict, "allowed">, string>> = {
  differs:
    "The persons on whom this result rests differ by fewer than min_subset from those of an " +
    "earlier result, so that the two together could tell of them (the site's ledger of what left). " +
    "Ask of the same rows as before, or of others by more persons.",
  full:
    "The ledger of what left this site is full, so nothing that rests on other rows than before " +
    "can leave until the owner clears it.",
  many:
    "This result tells of more groups of persons than the ledger of what left takes of one result, " +
    "so that no single question can fill it. Ask for fewer groups: fewer columns, levels or bins.",
};

/** What `withheld` names: never how many persons it was about. */
const RULES: Readonly<Record<Exclude<Verdict, "allowed">, string>> = {
  differs: "min_subset (differs from an earlier result by fewer persons)",
  full: "the ledger is full",
  many: "more groups than the ledger takes of one result",
};

/** A part without anything, so that who asked goes on without this organization. */
async function nothingOf(
  result: ContentFile,
  decided: Decided & { is: "released" },
  rule: string,
): Promise<Decided> {
  const withheld = [{ output: "*", rule, values: 1 }];
  const bytes = new TextEncoder().encode(JSON.stringify({ withheld }));
  if (decided.result.path !== result.path) await Deno.remove(decided.result.path).catch(() => {});
  const empty = await writePieces(releasedPath(result), [bytes]);
  return {
    is: "released",
    result: empty,
    withheld,
    ...(decided.counted ? { counted: { before: decided.counted.before, after: 0 } } : {}),
  };
}
