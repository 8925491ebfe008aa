/**
 * What the parts of this service are given: connected once, in `start.ts`.
 * @module
 */
import type { Db } from "../../shared/storage/db.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { Outbox } from "../../shared/storage/outbox.ts";
import type { Ask, RpcOutput } from "../../shared/messages/questions.ts";
import type { StoreClient } from "./algorithm_store/client.ts";

export interface CollaborationDeps {
  db: Db;
  outbox: Outbox;
  ask: Ask;
  log: Logger;
  /** This server's address as algorithm stores are to know it, when the operator has set one. */
  serverUrl?: string | undefined;
  stores?: StoreClient;
  /** Asks the broker which connections a node has now. */
  connectionsOfNode: (
    nodeId: number,
  ) => Promise<RpcOutput<"collaboration", "node_connections">>;
}
