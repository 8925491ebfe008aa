/**
 * Reports about work that is not begun: `work` asks for it, `accepted` says that the node has it.
 * @module
 */
import { workForNode } from "../dispatch/work_for_node.ts";
import { markAccepted } from "../store/dispatch.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";

export function workReports(
  { db, checkpoints, dispatchKey, now }: Pick<
    ReportsOptions,
    "db" | "checkpoints" | "dispatchKey" | "now"
  >,
): Pick<Reports, "work" | "accepted"> {
  return {
    work: async (nodeId, { after }) => ({
      ...await workForNode({ db, dispatchKey, now }, nodeId, after),
      // Once for all pages.
      ...(after === 0 ? { checkpoints: [...checkpoints.newest] } : {}),
    }),
    async accepted(nodeId, { attempts }) {
      await markAccepted(db, nodeId, attempts, now());
      return { ok: true };
    },
  };
}
