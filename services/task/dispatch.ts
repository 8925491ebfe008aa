/**
 * What a node is told to do: the message on `dispatch.<node>`, and the stream that carries it.
 *
 * A dispatch names the work and the digest of its input; the input itself comes with the answer to the node's
 * `start` report, so that nothing that was killed in the meantime is ever begun.
 * @module
 */
import type { JsonValue } from "../../shared/storage/db.ts";
import { isMissing } from "../../shared/broker/errors.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import {
  AckPolicy,
  type ConsumerConfig,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  StorageType,
} from "../../shared/broker/connection.ts";
import { nodeDurable, STREAMS, subjects } from "../../shared/broker/subjects.ts";
import {
  databasesOfTasks,
  inputDigests,
  type ResultRow,
  taskById,
  type TaskDatabaseRow,
  type TaskRow,
  updateResult,
} from "./store.ts";

/** The databases of a task with their parameters merged in, as containers and nodes read them. */
export function flatDatabases(rows: TaskDatabaseRow[]): Record<string, JsonValue>[] {
  return rows.map(({ label, parameters }) => ({ label, ...JSON.parse(parameters) }));
}

/** Tells the nodes of some results of a task about their current attempts, once the transaction is committed. */
export async function dispatch(
  { tx, send }: Pick<Change, "tx" | "send">,
  task: TaskRow,
  results: ResultRow[],
  at: Date,
): Promise<void> {
  // Asked once for all: a task may be for a thousand nodes.
  const databases = flatDatabases(await databasesOfTasks(tx, [task.id]));
  const digests = await inputDigests(tx, results.map((result) => result.id));
  for (const result of results) {
    if (result.node_id === null) continue; // stored by hand: nobody is to run it
    send(subjects.dispatch(result.node_id), {
      v: 1,
      result_id: result.id,
      attempt: result.attempt,
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      organization_id: result.organization_id,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
      init_username: task.init_username,
      algorithm_store_url: task.algorithm_store_url,
      image: task.image,
      databases,
      input_sha256: digests.get(result.id)!,
      issued_at: at.toISOString(),
    });
  }
}

/** Tells the node once more about an attempt it may not have heard of; its journal drops what it has seen. */
export async function redispatch(
  change: Pick<Change, "tx" | "send">,
  result: ResultRow,
  at: Date,
): Promise<void> {
  const task = await taskById(change.tx, result.task_id);
  await updateResult(change.tx, result.id, {
    status: result.status,
    dispatched_at: at,
    dispatches: result.dispatches + 1,
  });
  await dispatch(change, task!, [result], at);
}

/** How long a node may take to write a dispatch into its journal before the broker offers it again. */
const ACK_WAIT_MS = 30_000;

/** The streams and consumers that nodes live on. Made by the hub; a node could not make them. */
export interface DispatchStreams {
  /** Makes the stream if it is not there; returns whether it had to: then whatever it held is lost. */
  ensureStream(): Promise<boolean>;
  /** Makes the node's durable consumer, if it is not there. */
  ensureConsumer(nodeId: number): Promise<void>;
  /** Forgets a node that is gone, and what waits for it. */
  removeConsumer(nodeId: number): Promise<void>;
  /** Messages that wait for the node or that it has not acknowledged; 0 when the consumer is gone. */
  outstanding(nodeId: number): Promise<number>;
}

export function createDispatchStreams(manager: () => Promise<JetStreamManager>): DispatchStreams {
  return {
    async ensureStream() {
      const jsm = await manager();
      const config = {
        name: STREAMS.dispatch,
        subjects: [subjects.allDispatches()],
        retention: RetentionPolicy.Workqueue,
        storage: StorageType.File,
      };
      try {
        await jsm.streams.info(STREAMS.dispatch);
        return false;
      } catch (error) {
        if (!isMissing(error)) throw error;
        await jsm.streams.add(config);
        return true;
      }
    },
    async ensureConsumer(nodeId) {
      const jsm = await manager();
      const config: Partial<ConsumerConfig> = {
        durable_name: nodeDurable(nodeId),
        filter_subject: subjects.dispatch(nodeId),
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ACK_WAIT_MS),
        max_deliver: -1,
      };
      await jsm.consumers.add(STREAMS.dispatch, config);
    },
    async removeConsumer(nodeId) {
      const jsm = await manager();
      try {
        await jsm.streams.purge(STREAMS.dispatch, { filter: subjects.dispatch(nodeId) });
        await jsm.consumers.delete(STREAMS.dispatch, nodeDurable(nodeId));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    async outstanding(nodeId) {
      const jsm = await manager();
      try {
        const info = await jsm.consumers.info(STREAMS.dispatch, nodeDurable(nodeId));
        return info.num_pending + info.num_ack_pending;
      } catch (error) {
        if (isMissing(error)) return 0;
        throw error;
      }
    },
  };
}
