/**
 * Asks the owner's rules about each attempt, with what they need to know from the hub.
 * @module
 */
import { z } from "zod";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import { countsOrganizations, decideCall, readsCalls } from "../policy/decide_call.ts";
import { decideTask, restsOnStore } from "../policy/decide_task.ts";
import type { KnownNames } from "../policy/known_names.ts";
import type { Decision, Policy, TaskRequest } from "../policy/policy.ts";
import { CannotStart } from "./cannot_start.ts";
import type { Call } from "./call.ts";
import type { StoreApproval } from "./store_approval.ts";

/** Stands for a call on whose method and arguments nothing depends. */
const UNREAD: Call = { method: "(not read)", args: [], kwargs: {} };
const TOO_LARGE: Decision = {
  allowed: false,
  reason:
    "This node does not allow an input of more than 8 MiB here: its rules are about methods or " +
    "arguments (policies.algorithms, policies.allow_where), and larger inputs are not read.",
};

export interface Gate {
  /** Decides before the hub is told of a start. */
  admit(dispatch: Dispatch, signal: AbortSignal): Promise<Decision>;
  /**
   * Decides on the call, or on one that is `null` because it is too large to be read; rejects with
   * a {@linkcode CannotStart} of status `not allowed`.
   */
  call(dispatch: Dispatch, call: Call | null, signal: AbortSignal): Promise<void>;
}

export interface CreateGateOptions {
  policy: Policy;
  hub: Hub;
  /** Whose the names are that the rules list. */
  names: KnownNames;
  /** Asked about images that are allowed because of their store alone. */
  approval: StoreApproval;
  /** Told of every decision. */
  onDecision: (dispatch: Dispatch, decision: Decision) => void;
}

export function createGate({ policy, hub, names, approval, onDecision }: CreateGateOptions): Gate {
  /** Names of organizations; they hardly ever change, and ids can be listed instead. */
  const organizationNames = new Map<number, string>();

  async function nameOf(id: number, signal: AbortSignal): Promise<string | undefined> {
    if (!policy.allowedOrganizations?.some((one) => typeof one === "string")) return undefined;
    const known = organizationNames.get(id);
    if (known !== undefined) return known;
    const schema = z.object({ name: z.string() });
    const found = await hub.insist(`/organization/${id}`, schema, { signal }).catch((error) => {
      // Gone, or not this node's to see: then no list has its name.
      if (error instanceof HubError) return undefined;
      throw error;
    });
    if (found) organizationNames.set(id, found.name);
    return found?.name;
  }

  async function shares(taskId: number, signal: AbortSignal): Promise<number> {
    if (!countsOrganizations(policy)) return Infinity;
    const linked = z.object({ id: z.number() });
    const schema = z.object({ data: z.array(z.object({ organization: linked })) });
    const { data } = await hub.insist(`/run?task_id=${taskId}&payload=none`, schema, { signal });
    return new Set(data.map(({ organization }) => organization.id)).size;
  }

  return {
    async admit(dispatch, signal) {
      const { image, init_user_id, init_username, init_org_id, databases } = dispatch;
      const name = await nameOf(init_org_id, signal);
      const { algorithm_store_url: store } = dispatch;
      const task: TaskRequest = {
        image,
        store,
        user: await names.look("user", { id: init_user_id, name: init_username }),
        organization: await names.look("organization", { id: init_org_id, name }),
        databases: databases.map(({ label }) => label),
      };
      let decision = decideTask(task, policy);
      if (restsOnStore(task, policy)) decision = await approval.decide(store!, image, signal);
      onDecision(dispatch, decision);
      return decision;
    },
    async call(dispatch, call, signal) {
      const { image, task_id } = dispatch;
      const organizations = await shares(task_id, signal);
      const decision = call || !readsCalls(image, policy)
        ? decideCall({ image, organizations, ...call ?? UNREAD }, policy)
        : TOO_LARGE;
      if (decision.allowed) return;
      onDecision(dispatch, decision);
      throw new CannotStart(decision.reason, "not allowed");
    },
  };
}
