/**
 * What a node's credential cannot do on the broker, with the nats-server of this machine.
 * @module
 */
import { findNatsServer } from "../services/stack/nats_server.ts";
import { CACHE_FOLDER } from "./harness.ts";
import { useNatsServer } from "./support/broker_isolation.ts";

useNatsServer(() => findNatsServer(CACHE_FOLDER));
