/**
 * The reports of nodes as they arrive on NATS: who wrote it is checked, then what.
 *
 * The broker sees to it that only a node publishes on its subjects, but not to the reply subjects
 * that messages carry. So a report is signed with the node's key, shows the credential for that
 * key, and is answered only into an inbox of that node.
 * @module
 */
import { answerReports, type AnswerReportsOptions } from "./answer_reports.ts";
import { takeLogs, type TakeLogsOptions } from "./take_logs.ts";

/** Answers reports and takes in logs until stopped. */
export function serveReports(options: AnswerReportsOptions & TakeLogsOptions) {
  const reports = answerReports(options);
  const logs = takeLogs(options);
  return {
    /** Takes no more; resolves when the reports that were taken are answered. */
    async stop() {
      await Promise.all([reports.stop(), logs.stop()]);
    },
  };
}
