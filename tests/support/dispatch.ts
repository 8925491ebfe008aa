import type { Dispatch } from "../../shared/node_protocol/dispatch.ts";

/** What the hub may send to a node, for tests. */
export const dispatch: Dispatch = {
  v: 1,
  result_id: 7,
  attempt: 1,
  task_id: 5,
  run_id: 3,
  parent_id: null,
  collaboration_id: 1,
  organization_id: 2,
  init_org_id: 2,
  init_user_id: 1,
  image: "deno:average@1.0",
  databases: [{ label: "default", query: "x" }],
  input_sha256: "0".repeat(64),
  issued_at: "2026-11-23T20:00:00Z",
};
