/**
 * Tasks, runs, results and ports as the API shows them; `shared/contract/` has the shapes.
 * @module
 */
import { dateText } from "../../shared/contract/fields.ts";
import type { Port } from "../../shared/contract/port.ts";
import { listLink, referTo } from "../../shared/contract/references.ts";
import type { Result } from "../../shared/contract/result.ts";
import type { Run } from "../../shared/contract/run.ts";
import type { Share, Task } from "../../shared/contract/task.ts";
import type { NodeSummary } from "../../shared/messages/questions.ts";
import { isFinal } from "../../shared/node_protocol/status.ts";
import { heldSince, taskStatus, waitingText } from "./rules.ts";
import type { PortRow } from "./store/port.ts";
import type { ResultOfTaskRow, ShareRow } from "./store/shown_result.ts";
import type { TaskDatabaseRow, TaskProgress, TaskRow } from "./store/task.ts";

/** The name of an organization at which something waits for people. */
export type NameOf = (organizationId: number) => string;

/** For where nothing waits yet, and for an organization that is gone. */
export const nameless: NameOf = (organizationId) => `organization ${organizationId}`;

export function showTask(
  row: TaskRow,
  databases: TaskDatabaseRow[],
  progress: TaskProgress | undefined,
  nameOf: NameOf = nameless,
): Task {
  const statuses = progress?.statuses ?? [];
  const status = taskStatus(statuses);
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    image: row.image,
    job_id: row.job_id,
    run_id: row.job_id,
    created_at: dateText(row.created_at),
    finished_at: status === "completed" ? dateText(progress?.last_finished_at ?? null) : null,
    status,
    complete: statuses.every(isFinal),
    waiting: waitingText((progress?.held_at_organizations ?? []).map(nameOf)),
    timeout_seconds: row.timeout_seconds,
    collaboration: referTo("collaboration", row.collaboration_id),
    study: referTo("study", row.study_id),
    algorithm_store: referTo("algorithmstore", row.algorithm_store_id),
    parent: referTo("task", row.parent_id),
    init_org: referTo("organization", row.init_org_id),
    init_user: referTo("user", row.init_user_id),
    databases: databases.map(({ label, parameters }) => ({ label, parameters })),
    runs: listLink("run", "task_id", row.id),
    results: listLink("result", "task_id", row.id),
    children: listLink("task", "parent_id", row.id),
  };
}

/**
 * Each of the two objects, run and result, says whether its own payload, input or result, is the id
 * of a blob.
 */
function showRun(
  row: ResultOfTaskRow,
  node: NodeSummary | undefined,
  { ports = [], nameOf }: { ports?: PortRow[] | undefined; nameOf: NameOf },
): Run {
  const held = heldSince(row);
  return {
    id: row.id,
    status: row.status,
    input: row.input,
    log: row.log,
    assigned_at: dateText(row.assigned_at),
    started_at: dateText(row.started_at),
    finished_at: dateText(row.finished_at),
    cleanup_at: dateText(row.cleanup_at),
    blob_storage_used: row.input_in_blob,
    attempt: row.attempt,
    code: row.code,
    held_since: dateText(held),
    waiting: waitingText(held ? [nameOf(row.organization_id)] : []),
    organization: referTo("organization", row.organization_id),
    task: referTo("task", row.task_id),
    results: referTo("result", row.id),
    node: node ? { id: node.id, name: node.name, ip: node.ip, status: node.status } : {},
    ports: ports.map(showPort),
  };
}

/**
 * Shows runs with their nodes and ports, found by look-up: a list may have thousands of runs of
 * thousands of nodes.
 */
export function runShower(
  nodes: NodeSummary[],
  ports: PortRow[],
  nameOf: NameOf,
): (row: ResultOfTaskRow) => Run {
  const place = (one: { organization_id: number; collaboration_id: number }) =>
    `${one.collaboration_id} ${one.organization_id}`;
  const nodeAt = new Map(nodes.map((node) => [place(node), node]));
  const portsOf = Map.groupBy(ports, (port) => port.result_id);
  return (row) => showRun(row, nodeAt.get(place(row)), { ports: portsOf.get(row.id), nameOf });
}

export function showShare(row: ShareRow): Share {
  return {
    id: row.id,
    organization_id: row.organization_id,
    status: row.status,
    attempt: row.attempt,
    held_since: dateText(heldSince(row)),
  };
}

export function showResult(row: ResultOfTaskRow): Result {
  return {
    id: row.id,
    result: row.result,
    blob_storage_used: row.blob_storage_used,
    cleanup_at: dateText(row.cleanup_at),
    run: referTo("run", row.id),
    task: referTo("task", row.task_id),
  };
}

export function showPort({ id, port, label }: PortRow): Port {
  return { id, port, label };
}
