import { VERSION } from "../../../../shared/version.ts";
import type { NodeConfig } from "../../config/config.ts";
import { isConnected, type Status } from "../../record/agent_status.ts";
import type { Journal } from "../../record/journal.ts";
import type { OpenRun, Overview } from "../contract.ts";

export interface OverviewOptions {
  config: Pick<NodeConfig, "api" | "maxRuns">;
  journal: Pick<Journal, "open">;
  status: () => Status;
}

/** How the agent is, and what it has in hand and for whom. */
export function tellOverview({ config, journal, status }: OverviewOptions): Overview {
  const now = status();
  return {
    version: VERSION,
    hub: config.api,
    node: now.node,
    started_at: now.started_at,
    waits_for: now.waits_for,
    trouble: now.trouble,
    connected: isConnected(now),
    last_contact: now.last_contact,
    runs: openRuns(journal),
    max_runs: config.maxRuns,
    memory_mib: now.memory_mib,
    load: now.load,
    record: now.record ?? null,
  };
}

function openRuns(journal: Pick<Journal, "open">): OpenRun[] {
  return [...journal.open.values()].map(({ dispatch, state, code }) => ({
    result_id: dispatch.result_id,
    attempt: dispatch.attempt,
    task_id: dispatch.task_id,
    parent_id: dispatch.parent_id,
    image: dispatch.image,
    user_id: dispatch.init_user_id,
    username: dispatch.init_username ?? null,
    organization_id: dispatch.init_org_id,
    databases: dispatch.databases.map(({ label }) => label),
    state,
    code: code?.digest ?? null,
    method: code?.method ?? null,
  }));
}
