/**
 * Alarms about the hub's record: said once each, in the agent's log and in the audit log, and kept
 * until they are over or the owner acknowledges them.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { HubService } from "../../../shared/broker/subjects.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { isPassing, type Problem } from "./judge.ts";
import type { Kept, SubjectOfAlarm } from "./kept.ts";

/** A hub that gives cause for more has given cause enough. */
const MOST_ALARMS = 50;

/** `told` is the checkpoint, or the statement of another node, that shows what is wrong. */
export type Raise = (service: SubjectOfAlarm, problem: Problem, told?: string) => Promise<void>;

export interface AlarmsOptions {
  kept: Kept;
  save: () => Promise<void>;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  now: () => number;
}

export function createAlarms(
  { kept, save, audit, log, now }: AlarmsOptions,
): { raise: Raise; settle(service: HubService): void } {
  return {
    async raise(service, { kind, problem }, told) {
      const isKnown = kept.alarms.some((one) =>
        one.service === service && one.kind === kind &&
        (one.problem === problem || isPassing(kind))
      );
      if (isKnown || kept.alarms.length >= MOST_ALARMS) return;
      const noted = service === "nodes" ? undefined : kept.checkpoints[service]?.note;
      await audit.record("hub record broken", { service, kind, problem, noted, told });
      log.error("The hub's audit record is not what it should be", {
        service,
        kind,
        problem,
        advice: isPassing(kind)
          ? "Ask the hub's operator."
          : "Ask the hub's operator. If there is a good reason, such as a backup that was restored: " +
            `deno task node accept-record --config node.yaml --service ${service} --reason "…"`,
      });
      const at = new Date(now()).toISOString();
      kept.alarms.push({ service, kind, problem, at, ...(told === undefined ? {} : { told }) });
      await save();
    },
    settle(service) {
      const isOver = (one: Kept["alarms"][number]) =>
        one.service === service && isPassing(one.kind);
      for (const { kind } of kept.alarms.filter(isOver)) {
        log.info("What was wrong with the hub's audit record is over", { service, kind });
      }
      kept.alarms = kept.alarms.filter((one) => !isOver(one));
    },
  };
}
