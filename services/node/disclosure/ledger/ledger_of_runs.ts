/**
 * The ledger as runs meet it.
 * @module
 */
import type { Dispatch } from "../../../../shared/node_protocol/dispatch.ts";
import type { Exit } from "../exit.ts";
import type { MayTell } from "../guarded/asking.ts";
import type { DisclosureRules } from "../rules.ts";
import { openLedger, type OpenLedgerOptions } from "./ledger.ts";
import { createTableReader, type ReadDatabase } from "./selections_of_run.ts";
import { whyNotTold, withLedger } from "./with_ledger.ts";

export interface LedgerOfRuns {
  /** The exit of a run on these databases: what it lets out is looked at, and remembered. */
  exitOf(exit: Exit, dispatch: Dispatch, databases: readonly ReadDatabase[]): Exit;
  /** What looks at the answers of these databases' guarded tables. */
  mayTellOf(dispatch: Dispatch, databases: readonly ReadDatabase[]): MayTell;
}

/** Opens the ledger of a site that has rules. */
export async function openLedgerOfRuns(
  { rules, ...options }: OpenLedgerOptions & { rules: DisclosureRules },
): Promise<LedgerOfRuns> {
  const ledger = await openLedger(options);
  const read = createTableReader({ persons: rules.persons, ledger });

  function optionsOf(dispatch: Dispatch, databases: readonly ReadDatabase[]) {
    // Begun at once: another reading may take the place of these files before the run has ended.
    const tables = Promise.all(databases.map(read));
    // It is waited for later.
    tables.catch(() => {});
    return { rules, ledger, dispatch, tables };
  }

  return {
    exitOf: (exit, dispatch, databases) => withLedger(exit, optionsOf(dispatch, databases)),
    mayTellOf(dispatch, databases) {
      const options = optionsOf(dispatch, databases);
      return (label, selections) => whyNotTold(options, label, selections);
    },
  };
}
