/**
 * What is done about the reports of nodes. Every answer means: it is committed.
 * @module
 */
import { attemptReports } from "./attempt.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";
import { helloReport } from "./hello.ts";

export function createReports(options: ReportsOptions): Reports {
  return { hello: helloReport(options), ...attemptReports(options) };
}
