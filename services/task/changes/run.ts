/**
 * A change of a run as v6's own nodes report it (contract §3.8).
 * @module
 */
import type { RunChanges } from "../../../shared/contract/run.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isFailed, isFinal, isOpen } from "../../../shared/node_protocol/status.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { attachBlob } from "../store/blob.ts";
import { lockResult, type ResultChange, updateResult } from "../store/result.ts";
import { closeStopOrder, type StopOrder } from "../store/stop_order.ts";
import { lockTask } from "../store/task.ts";
import { finalLog, moveResult, printable, stopMadeBy } from "./result.ts";

/**
 * Merges what is given into the result; what is absent stays. The result is over exactly when its
 * status says so: a final status without a time gets the present one, a time without a final status
 * is refused (400). A failure takes its subtasks along; returns whom to tell to stop, once it is
 * committed. `undefined` when it is over already: then all that is committed is that its node has
 * spoken.
 */
export async function updateRun(
  change: Change,
  { id, task_id }: { id: number; task_id: number },
  given: RunChanges,
  { nodeId, at }: { nodeId: number; at: Date },
): Promise<StopOrder[] | undefined> {
  const { tx } = change;
  // First, as for every report.
  await closeStopOrder(tx, id, nodeId);
  const task = await lockTask(tx, task_id);
  const result = task && await lockResult(tx, id);
  if (!result) throw new SextantError("not_found", `There is no run ${id}.`);
  if (!isOpen(result.status)) return undefined;
  const status = given.status ?? result.status;
  const over = isFinal(status);
  if (!over && given.finished_at) {
    throw new SextantError(
      "invalid_request",
      `Run ${id} cannot have finished: its status would still be "${status}".`,
    );
  }
  const values: ResultChange = { status };
  if (given.started_at) values.started_at = given.started_at;
  if (given.result !== undefined) {
    values.result = given.result;
    const owners = [`node:${nodeId}`];
    values.blob_storage_used = isBlobId(given.result) &&
      await attachBlob(tx, given.result, { owners, resultId: id }) !== undefined;
  }
  if (given.log !== undefined) values.log = printable(given.log);
  if (over) {
    values.started_at ??= result.started_at ?? at;
    values.finished_at = given.finished_at ?? at;
    const log = await finalLog(change, id, { log: given.log ?? null, reason: null });
    if (log !== "") values.log = log;
  }
  if (status === result.status) {
    await updateResult(tx, id, values);
    return [];
  }
  const moved = await moveResult(change, task, id, values, at);
  return isFailed(status) ? await stopMadeBy(change, task, [moved], at) : [];
}
