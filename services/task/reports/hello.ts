/**
 * The report `hello`: after every connection a node's agent says what it holds, and so what it does
 * not. Work that it had begun and does not name is lost, and becomes the next attempt; what it had
 * not begun it is given when it asks for `work`; what it holds and should not, it is told to drop.
 * @module
 */
import { refusalOf } from "../../../shared/node_protocol/refusal.ts";
import {
  NODE_PROTOCOL,
  type ReportAnswer,
  type ReportBody,
} from "../../../shared/node_protocol/reports.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { VERSION } from "../../../shared/version.ts";
import { nextAttempt } from "../changes/attempt.ts";
import { setAccepted } from "../store/dispatch.ts";
import { countHello, lockAgent } from "../store/node_agent.ts";
import { begunAtNode, lockResult, resultsById } from "../store/result.ts";
import { closeStopOrdersExcept, type StopOrder } from "../store/stop_order.ts";
import { lockTask } from "../store/task.ts";
import { logLost } from "./attempt.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";

type Hello = ReportBody<"hello">;
type Late = ReportAnswer<"hello"> & { ok: false };
type Dropped = (ReportAnswer<"hello"> & { ok: true })["drop"];

export function helloReport(
  { db, outbox, kills, log, now }: Pick<
    ReportsOptions,
    "db" | "outbox" | "kills" | "log" | "now"
  >,
): Reports["hello"] {
  /**
   * Does something about a hello that is the node's next one still; `before` is the agent that said
   * the last one.
   */
  function onHello<Answer>(
    nodeId: number,
    { agent_id, after }: Hello,
    act: (change: Change, before: string) => Promise<Answer>,
  ): Promise<Answer | Late> {
    return outbox.change(async (change) => {
      // Locked, so that of two copies at two replicas the second sees what the first has done.
      const { agent_id: before, hellos } = await lockAgent(change.tx, nodeId, agent_id);
      if (after !== hellos) return { ok: false, hellos } as const;
      return await act(change, before);
    });
  }

  /** A result that its node had begun, and did not name in its hello. */
  async function missing(
    nodeId: number,
    hello: Hello,
    { id, task_id, newJournal }: { id: number; task_id: number; newJournal: boolean },
  ): Promise<void> {
    let orders: StopOrder[] = [];
    await onHello(nodeId, hello, async (change) => {
      const task = await lockTask(change.tx, task_id);
      const result = task && await lockResult(change.tx, id);
      if (!result || result.finished_at !== null || result.node_id !== nodeId) return;
      if (result.status === "pending") return;
      const reason = newJournal ? "another agent took over" : "the agent does not know of it";
      const next = await nextAttempt(change, { task, result }, { reason, at: now() });
      orders = next.orders;
      logLost(log, { task, result }, { next_attempt: next.attempt, reason });
    });
    kills.tell(orders);
  }

  return async function hello(nodeId, hello) {
    const { agent_id, open } = hello;
    demandProtocol(hello);
    const held = new Map(open.map((one) => [one.result_id, one]));
    const known = await onHello(
      nodeId,
      hello,
      (_, before) => Promise.resolve({ ok: true as const, before }),
    );
    if (!known.ok) return known;
    const newJournal = known.before !== agent_id;
    for (const { id, task_id, attempt } of await begunAtNode(db, nodeId)) {
      if (held.get(id)?.attempt === attempt) continue;
      await missing(nodeId, hello, { id, task_id, newJournal });
    }
    return await onHello(nodeId, hello, async ({ tx }) => {
      await closeStopOrdersExcept(tx, nodeId, [...held.keys()]);
      await setAccepted(tx, nodeId, open, now());
      const drop = await whatIsOver(tx, nodeId, hello);
      // Last, so that a hello that did not get this far is done again as a whole.
      await countHello(tx, nodeId, agent_id);
      return { ok: true as const, drop };
    });
  };
}

/** Refuses an agent that would wait for work where none comes any more. */
function demandProtocol({ protocol }: Hello): void {
  if (protocol >= NODE_PROTOCOL) return;
  throw new SextantError(
    "invalid_request",
    "This agent is of a version before the hub's, which gives out work in another way: update the " +
      `agent to version ${VERSION}. What it has computed is taken all the same.`,
  );
}

/** Of the attempts that an agent holds, those that it is to drop. */
async function whatIsOver(
  tx: Change["tx"],
  nodeId: number,
  { agent_id, open }: Hello,
): Promise<Dropped> {
  const drop: Dropped = [];
  // Asked once for all: an agent may hold thousands.
  const results = await resultsById(tx, open.map(({ result_id }) => result_id));
  for (const { result_id, attempt, state } of open) {
    const result = results.get(result_id);
    const reason = !result || result.node_id !== nodeId
      ? "unknown"
      : refusalOf(state === "accepted" ? "start" : "finish", result, { agent_id, attempt });
    if (reason) drop.push({ result_id, attempt, reason });
  }
  return drop;
}
