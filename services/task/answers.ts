/**
 * What task answers the other services.
 * @module
 */
import type { RpcHandlers } from "../../shared/messages/questions.ts";
import { signAddress } from "../../shared/node_protocol/broker_address.ts";
import { isFinal, isOpen } from "../../shared/node_protocol/status.ts";
import { SextantError } from "../../shared/service/errors.ts";
import { auditEntries } from "../../shared/storage/audit.ts";
import { seals } from "../../shared/storage/audit_seal.ts";
import { consistencyProof, newestHead } from "../../shared/storage/audit_tree.ts";
import { ownHealth } from "../../shared/storage/health.ts";
import { storageMetrics } from "../../shared/storage/metrics.ts";
import type { TaskDeps } from "./deps.ts";
import { flatDatabases } from "./dispatch/send.ts";
import { taskStatus } from "./rules.ts";
import { taskMetrics } from "./store/metrics.ts";
import { addRefused } from "./store/refused_count.ts";
import { resultById, shareOf } from "./store/result.ts";
import { countTasks, databasesOfTasks, statusesOfTask, taskById } from "./store/task.ts";

export function taskAnswers(
  { db, outbox, checkpoints, dispatchKey, now }: TaskDeps,
): RpcHandlers<"task"> {
  return {
    /** Checks in the contract's order (§2.4). */
    async container({ task_id, image, collaboration_id, organization_id }) {
      const task = await taskById(db, task_id);
      if (!task) throw new SextantError("invalid_request", `There is no task ${task_id}.`);
      if (task.image !== image) {
        throw new SextantError("forbidden", `Task ${task_id} does not use this algorithm.`);
      }
      if (task.collaboration_id !== collaboration_id) {
        throw new SextantError("forbidden", `Task ${task_id} is not in the node's collaboration.`);
      }
      const share = await shareOf(db, task_id, organization_id);
      if (!share) {
        throw new SextantError("forbidden", `The node has no share in task ${task_id}.`);
      }
      if (isFinal(taskStatus(await statusesOfTask(db, task_id)))) {
        throw new SextantError("invalid_request", `Task ${task_id} is over.`);
      }
      if (!isOpen(share.status)) {
        throw new SextantError("invalid_request", `The node's share of task ${task_id} is over.`);
      }
      return {
        result_id: share.id,
        attempt: share.attempt,
        study_id: task.study_id,
        store_id: task.algorithm_store_id,
        databases: flatDatabases(await databasesOfTasks(db, [task_id])),
      };
    },
    async attempt({ result_id }) {
      const row = await resultById(db, result_id);
      if (!row || row.node_id === null || !isOpen(row.status)) return null;
      const { task_id, node_id, attempt } = row;
      const task = await taskById(db, task_id);
      return task ? { task_id, job_id: task.job_id, node_id, attempt } : null;
    },
    count: async (place) => ({ tasks: await countTasks(db, place) }),
    async count_refused({ counts }) {
      await addRefused(db, counts);
      return {};
    },
    audit: (question) => auditEntries(db, question),
    audit_seals: async (question) => ({ seals: await seals(db, question) }),
    audit_tree: async () => ({ head: await newestHead(db) ?? null }),
    audit_consistency: (question) => consistencyProof(db, question),
    broker_address: ({ nats_url }) => Promise.resolve(signAddress(dispatchKey, nats_url, now())),
    checkpoints: async () => ({ checkpoints: await checkpoints.ask() }),
    health: () => ownHealth({ db, outbox }),
    metrics: async () => [...await storageMetrics(db, "task"), ...await taskMetrics(db)],
  };
}
