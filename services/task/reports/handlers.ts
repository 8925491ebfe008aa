/**
 * The shape of what answers reports, and what it is made with.
 * @module
 */
import type { ReportKind } from "../../../shared/broker/subjects.ts";
import type { ReportAnswer, ReportBody } from "../../../shared/node_protocol/reports.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import type { Checkpoints } from "../dispatch/checkpoints.ts";
import type { Kills } from "../dispatch/kills.ts";

/** What is done about each kind of report of a node. */
export type Reports = {
  [Kind in ReportKind]: (nodeId: number, report: ReportBody<Kind>) => Promise<ReportAnswer<Kind>>;
};

export interface ReportsOptions {
  db: Db;
  outbox: Outbox;
  kills: Kills;
  checkpoints: Pick<Checkpoints, "newest">;
  /** The seed that signs what is dispatched. */
  dispatchKey: string;
  log: Logger;
  now: () => Date;
}
