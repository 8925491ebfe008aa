/**
 * What a node's credential cannot do on the broker, with a current nats-server.
 * @module
 */
import { useNatsServer } from "./support/broker_isolation.ts";
import { currentNatsServer } from "./support/current_nats_server.ts";

useNatsServer(currentNatsServer);
