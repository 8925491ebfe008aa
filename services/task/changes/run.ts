/**
 * How the field's own nodes report a run: `PATCH /run/{id}` (contract §3.8).
 * @module
 */
import { z } from "zod";
import { isoDate, nullAsAbsent, text } from "../../../shared/contract/fields.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import {
  FINAL_STATUSES,
  isFinal,
  isOpen,
  OPEN_STATUSES,
} from "../../../shared/node_protocol/status.ts";
import type { TaskDeps } from "../deps.ts";
import { finalLog, moveResult, printable } from "./result.ts";
import { lockResult, type ResultChange, updateResult } from "../store/result.ts";
import { lockTask } from "../store/task.ts";
import { attachBlob } from "../store/blob.ts";
import { closeStopOrder } from "../store/stop_order.ts";

export const runPatch = z.object({
  started_at: nullAsAbsent(isoDate),
  finished_at: nullAsAbsent(isoDate),
  /** Whatever the program printed. */
  log: nullAsAbsent(z.string()),
  result: nullAsAbsent(text),
  status: nullAsAbsent(z.enum([...OPEN_STATUSES, ...FINAL_STATUSES])),
});
export type RunPatch = z.infer<typeof runPatch>;

/**
 * Merges what is given into the result; what is absent stays. The result is over exactly when its status says so:
 * a final status without a time gets the present one, a time without a final status is refused.
 */
export async function patchResult(
  { outbox, now }: Pick<TaskDeps, "outbox" | "now">,
  principal: Principal,
  { id, task_id }: { id: number; task_id: number },
  patch: RunPatch,
): Promise<void> {
  const killed = await outbox.change(async (change) => {
    const { tx } = change;
    // First, as for every report. What is over stays refused below, but that its node has spoken is committed.
    await closeStopOrder(tx, id, principal.id);
    const task = await lockTask(tx, task_id);
    const result = task && await lockResult(tx, id);
    if (!result) throw new SextantError("not_found", `There is no run ${id}.`);
    if (!isOpen(result.status)) return true;
    const status = patch.status ?? result.status;
    const over = isFinal(status);
    if (!over && patch.finished_at) {
      throw new SextantError(
        "invalid_request",
        `Run ${id} cannot have finished: its status would still be "${status}".`,
      );
    }
    const at = now();
    const values: ResultChange = { status };
    if (patch.started_at) values.started_at = patch.started_at;
    if (patch.result !== undefined) {
      values.result = patch.result;
      const owners = [`node:${principal.id}`];
      values.blob_storage_used = isBlobId(patch.result) &&
        await attachBlob(tx, patch.result, { owners, resultId: id }) !== undefined;
    }
    if (patch.log !== undefined) values.log = printable(patch.log);
    if (over) {
      values.started_at ??= result.started_at ?? at;
      values.finished_at = patch.finished_at ?? at;
      const log = await finalLog(change, id, { log: patch.log ?? null, reason: null });
      if (log !== "") values.log = log;
    }
    if (status === result.status) await updateResult(tx, id, values);
    else await moveResult(change, task, id, values, at);
    return false;
  });
  if (killed) throw new SextantError("invalid_request", `Run ${id} is finished already.`);
}
