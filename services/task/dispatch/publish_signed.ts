import { type BrokerConnection, newHeaders } from "../../../shared/broker/connection.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import {
  CHECKPOINTS_HEADER,
  checkpointsHeader,
} from "../../../shared/node_protocol/checkpoints.ts";
import { signAsHub } from "../../../shared/node_protocol/hub_signature.ts";
import type { Checkpoints } from "./checkpoints.ts";

const DISPATCHES = subjects.allDispatches().replace("*", "");

/** Says things to nodes, signed; with a dispatch come the checkpoints of the audit record. */
export interface SignedPublisher {
  publish(nc: BrokerConnection, subject: string, payload: Uint8Array): void;
  /** Until they are there, nothing comes along. */
  checkpoints?: Pick<Checkpoints, "newest">;
}

/** `dispatchKey` is the seed that signs what is dispatched. */
export function createSignedPublisher(dispatchKey: string): SignedPublisher {
  const publisher: SignedPublisher = {
    publish(nc, subject, payload) {
      const headers = newHeaders();
      signAsHub(headers, dispatchKey, { subject, payload });
      const newest = publisher.checkpoints?.newest ?? [];
      if (subject.startsWith(DISPATCHES) && newest.length > 0) {
        headers.set(CHECKPOINTS_HEADER, checkpointsHeader(newest));
      }
      nc.publish(subject, payload, { headers });
    },
  };
  return publisher;
}
