/**
 * The stream that carries dispatches, and each node's consumer on it.
 * @module
 */
import { nodeDurable, STREAMS, subjects } from "../../../shared/broker/subjects.ts";
import { isMissing } from "../../../shared/broker/errors.ts";
import {
  AckPolicy,
  type ConsumerConfig,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  StorageType,
} from "../../../shared/broker/connection.ts";

/**
 * How long a node may take to write a dispatch into its journal before the broker offers it again.
 */
const ACK_WAIT_MS = 30_000;

/** The streams and consumers that nodes live on. Made by the hub; a node could not make them. */
export interface DispatchStreams {
  /**
   * Makes the stream if it is not there; returns whether it had to: then whatever it held is lost.
   */
  ensureStream(): Promise<boolean>;
  /** Makes the node's durable consumer, if it is not there. */
  ensureConsumer(nodeId: number): Promise<void>;
  /** Forgets a node that is gone, and what waits for it. */
  removeConsumer(nodeId: number): Promise<void>;
  /**
   * Messages that wait for the node or that it has not acknowledged; 0 when the consumer is gone.
   */
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
