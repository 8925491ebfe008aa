/**
 * What every part of the shell works with.
 * @module
 */
import type { Operator } from "../../shared/storage/audit.ts";
import type { Db } from "../../shared/storage/db.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import type { BrokerLink } from "./broker.ts";
import type { ModelName } from "./description.ts";
import type { Model } from "./model.ts";

export interface Shell {
  databases: Record<HubService, Db>;
  /** Without one, running services hear of changes from their own outbox, within some three seconds. */
  broker: BrokerLink | undefined;
  /** Who is at the keyboard, for the audit. */
  operator: Operator;
  models: Record<ModelName, Model>;
  /** Tells the operator something that is no value. */
  say(line: string): void;
  /** Fires when the operator interrupts what is running now. */
  interrupt(): AbortSignal;
  now(): Date;
}
