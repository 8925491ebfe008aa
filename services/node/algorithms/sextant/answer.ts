/**
 * What an organization is asked, answered from its rows.
 * @module
 */
import type { Context } from "./api.ts";
import { isAboutNames, isOfTable } from "./columns.ts";
import { createSingling } from "./condition/singling.ts";
import { PartWithheld, readPersons, requireSubset, type SiteRules } from "./disclosure.ts";
import { rulesOfRows, type Withheld } from "./disclosure.ts";
import { requireFinite } from "./finite.ts";
import { type SelectedRows, selectionOf } from "./selection.ts";
import { type Rows, selectRows } from "./where.ts";

/** Its words leave a site whatever its rules are. */
class DisclosureError extends Error {
  override name = "DisclosureError";

  constructor() {
    super(
      'The rules of this site let rows be chosen by the argument "where" or by preprocessing, not ' +
        'by both: put all of it into "where".',
    );
  }
}

/**
 * Returns what `make` makes of the rows that `where` leaves; it may be a promise. Where the site's
 * owner has set rules on what may leave, `rows` carry them, and the part says in `withheld` what
 * was left out of it for their sake; it has nothing else where nothing may leave.
 *
 * ```ts
 * export function partial(context: Context, { column, where }: Question) {
 *   return answer(context, where, (rows) => partOf(completeRows(rows, [{ name: column }])));
 * }
 * ```
 */
export function answer<T extends object>(
  context: Context,
  where: string | undefined,
  make: (rows: Rows) => T,
): T {
  const { disclosure } = context;
  const table = context.table();
  if (!disclosure) {
    const part = make(selectRows(table, where));
    return (part instanceof Promise ? part.then(requireFinite) : requireFinite(part)) as T;
  }
  const withheld: Withheld[] = [];
  const selections: SelectedRows[] = [];
  let [isSaid, chosen] = [false, selectionOf(undefined, table.length)];
  const site: SiteRules = {
    rules: disclosure,
    ...readPersons(table, disclosure),
    places: undefined,
    tableLength: table.length,
    use(used, within) {
      isSaid ||= within === undefined;
      // Most parts rest on all rows, and say so of each of what they tell.
      for (const one of used) {
        const isSaid = ({ rows, groups, numberOf }: SelectedRows) =>
          rows === one.rows && groups === one.groups && `${numberOf}` === `${one.numberOf}`;
        if (!selections.some(isSaid)) selections.push(one);
      }
    },
    withhold(output, rule, values) {
      const said = withheld.find((one) => one.output === output && one.rule === rule);
      if (said) said.values += values;
      else withheld.push({ output, rule, values });
    },
  };
  // The node rounds every count: whoever reads them shall know.
  if (disclosure.roundTo > 1) site.withhold("*", "round_to", 1);
  const done = (part: object) => ({ ...requireFinite(part), withheld, selections: evidence() });
  const evidence = () => {
    if (!isSaid) site.use([chosen]);
    // Of no rows, where none are used: the ledger would take nothing for all.
    return selections.length > 0 ? selections : [selectionOf([], table.length)];
  };
  /** Whether rows were chosen, of which what is told tells, be it an error. */
  let isChosen = false;
  const refused = (error: unknown) => {
    if (!(error instanceof PartWithheld)) {
      if (!isChosen || isAboutNames(error)) throw error;
      // It may be about the value of one row. So it is an answer, which the node's ledger holds
      // against earlier ones; what it says in full is for the owner.
      console.error(error);
      const withheld: Withheld[] = [{ output: "*", rule: ruleOf(error), values: 1 }];
      return { withheld, selections: [chosen] };
    }
    // A part without anything: who asked goes on without this organization.
    selections.length = 0;
    isSaid = true;
    const said: Withheld[] = [{ output: "*", rule: error.rule, values: 1 }];
    return { withheld: said, selections: evidence() };
  };
  // Beside rows that were chosen before nobody could say what a condition singles out of all.
  if (where !== undefined && table.isFiltered) throw new DisclosureError();
  try {
    const { persons } = site;
    const singling = createSingling(table, { least: disclosure.minSubset, persons });
    const rows = selectRows(table, where, singling.look);
    if (singling.found) throw new PartWithheld("min_subset");
    const isPart = rows.kept !== undefined || table.isFiltered === true;
    const ruled = { ...rows.kept ? rulesOfRows(site, rows.kept) : site, isChosen: isPart };
    chosen = selectionOf(ruled.places, table.length);
    if (isPart) requireSubset(ruled, rows.length);
    isChosen = isPart;
    const part = make({ ...rows, site: ruled });
    return (part instanceof Promise ? part.then(done).catch(refused) : done(part)) as T;
  } catch (error) {
    return refused(error) as T;
  }
}

/** What is said of an error about rows that were chosen: those of tables tell no value. */
function ruleOf(error: unknown): string {
  const rule = "an error about the chosen rows";
  return isOfTable(error) ? `${rule}: ${error.message}` : rule;
}
