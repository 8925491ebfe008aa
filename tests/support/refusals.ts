/**
 * What the broker says against a connection, which the connection tells its log.
 * @module
 */
import type { Logger } from "../../shared/service/log.ts";

export interface Refusal {
  reason: string;
  /** What was tried, when it was refused for want of a right. */
  permissionContext?: { operation: string; subject: string };
}

/** A log to connect with, and the refusals it has heard. All else goes on to `log`. */
export function hearRefusals(log: Logger): { log: Logger; refusals: Refusal[] } {
  const refusals: Refusal[] = [];
  const hearing: Logger = {
    ...log,
    warn(message, fields) {
      if (message === "NATS refuses") refusals.push(fields as unknown as Refusal);
      log.warn(message, fields);
    },
  };
  return { log: hearing, refusals };
}
