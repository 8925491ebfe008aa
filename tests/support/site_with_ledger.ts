/**
 * One site with rules, in this process: the library's parts, the check of what leaves, and the
 * ledger of what left. For tests of what somebody can put together from several tasks.
 * @module
 */
import { checkArguments, type Description } from "sextant/description.ts";
import { readSelections } from "sextant/selection.ts";
import { openTable } from "../../services/node/data/table.ts";
import { checkResult } from "../../services/node/disclosure/check_result.ts";
import { openLedger } from "../../services/node/disclosure/ledger/ledger.ts";
import { makeSelection } from "../../services/node/disclosure/ledger/selection.ts";
import { type Profile, PROFILES } from "../../services/node/disclosure/rules.ts";
import { silentLogger } from "../../shared/service/log.ts";
import type { Algorithm } from "./federation.ts";
import { columnsOf } from "./columns_of.ts";
import type { Result } from "./under_rules.ts";

const PACKAGES = new URL("../../services/node/algorithms/packages/", import.meta.url);

export interface SiteWithLedger extends AsyncDisposable {
  /** What leaves of a method that is asked in a task of its own; `{withheld}` of what does not. */
  ask(name: string, method: string, kwargs: Record<string, unknown>): Promise<Result>;
}

export async function createSiteWithLedger(
  csv: string,
  profile: Profile = "datashield",
): Promise<SiteWithLedger> {
  const rules = { profile, persons: null, ...PROFILES[profile] };
  const path = await columnsOf(csv);
  const dataFolder = await Deno.makeTempDir({ prefix: "ledger-" });
  const audit = { record: () => Promise.resolve() };
  const ledger = await openLedger({ dataFolder, audit, log: silentLogger });
  let tasks = 0;

  async function ask(name: string, method: string, kwargs: Record<string, unknown>) {
    const algorithm: Algorithm = await import(new URL(`${name}/algorithm.ts`, PACKAGES).href);
    const described = (algorithm.description as Description).methods[method]!;
    const table = openTable("default", path);
    const context = { settings: {}, disclosure: rules, table: () => table, log() {} };
    const args = checkArguments(method, described, { kwargs: structuredClone(kwargs) });
    const call = algorithm[method] as (context: unknown, args: unknown) => unknown;
    const { selections, ...result } = JSON.parse(JSON.stringify(await call(context, args)));
    const checked = checkResult(result, { outputs: described.outputs, rules, args });
    const task = ++tasks;
    const verdict = await ledger.decide({
      about: {
        task_id: task,
        result_id: task,
        user_id: 1,
        organization_id: 1,
        image: `${name}@1.0.0`,
      },
      databases: [{
        key: "database",
        label: "default",
        selections: selections.flatMap((one: unknown) =>
          Array.from(
            readSelections(one, table.length),
            (selected) => makeSelection({ selected, unit: "rows" }),
          )
        ),
      }],
      least: rules.minSubset,
    });
    if (verdict === "allowed") return checked.result;
    return { withheld: [{ output: "*", rule: verdict, values: 1 }] };
  }

  return { ask, [Symbol.asyncDispose]: () => Deno.remove(dataFolder, { recursive: true }) };
}
