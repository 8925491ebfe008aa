/**
 * What a node's credential cannot do on the broker, with the nats-server of this machine.
 * @module
 */
import { testBrokerIsolation } from "./support/broker_isolation.ts";

testBrokerIsolation();
