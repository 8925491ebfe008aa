/**
 * What is done about the reports of nodes. Every answer means: it is committed.
 * @module
 */
import { attemptReports } from "./attempt.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";
import { helloReport } from "./hello.ts";
import { workReports } from "./work.ts";

export function createReports(options: ReportsOptions): Reports {
  return { hello: helloReport(options), ...workReports(options), ...attemptReports(options) };
}
