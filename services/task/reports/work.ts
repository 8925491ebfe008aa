/**
 * Reports about work that is not begun: `work` asks for it, `accepted` says that the node has it.
 * @module
 */
import { workForNode } from "../dispatch/work_for_node.ts";
import { markAccepted } from "../store/dispatch.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";

export function workReports(
  { db, dispatchKey, now }: Pick<ReportsOptions, "db" | "dispatchKey" | "now">,
): Pick<Reports, "work" | "accepted"> {
  return {
    work: (nodeId, { after }) => workForNode({ db, dispatchKey, now }, nodeId, after),
    async accepted(nodeId, { attempts }) {
      await markAccepted(db, nodeId, attempts, now());
      return { ok: true };
    },
  };
}
