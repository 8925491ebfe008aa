import { demand, type Principal } from "../../../../shared/contract/permissions.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { isAtNode } from "../../rules.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";

/**
 * Only the node that executes a run may say which ports it offers; others do not learn whether
 * there is one.
 */
export async function demandOwnRun(db: Db, principal: Principal, runId: number): Promise<void> {
  const row = await resultOfTaskById(db, runId, "result");
  demand(row !== undefined && isAtNode(principal, row), `change the ports of run ${runId}`);
}
