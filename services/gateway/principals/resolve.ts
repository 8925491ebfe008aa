/**
 * Who is behind the claims of a token, asked of identity, collaboration and task.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { Claims, ClientClaims, ContainerClaims } from "../../../shared/contract/tokens.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { SextantError } from "../../../shared/service/errors.ts";

export interface Resolved {
  principal: Principal;
  /** Of a container: the present attempt at its result, and the key that its node has. */
  attempt?: number;
  keyGeneration?: number;
}

/** The principal of a verified token. Throws 401 when there is none any more. */
export async function resolvePrincipal(ask: Ask, claims: Claims): Promise<Resolved> {
  if (claims.client_type === "container") return await resolveContainer(ask, claims);
  return claims.client_type === "user"
    ? await resolveUser(ask, claims)
    : await resolveNode(ask, claims);
}

function gone(what: string): SextantError {
  return new SextantError("unauthenticated", what);
}

async function resolveUser(ask: Ask, { sub: id, sid: session_id }: ClientClaims) {
  const user = await ask("identity", "user", { id, session_id });
  if (!user) {
    throw gone("This log-in has ended, or its user does not exist any more; log in again.");
  }
  const { organization_id } = user;
  const collaborations = await ask("collaboration", "memberships", { organization_id });
  return { principal: { kind: "user" as const, ...user, session_id, collaborations } };
}

async function resolveNode(ask: Ask, { sub: id, sid: session_id }: ClientClaims) {
  const [machine, session] = await Promise.all([
    resolveMachine(ask, id, "node"),
    ask("identity", "node_session", { node_id: id, session_id }),
  ]);
  if (!session) throw gone("This log-in has ended; log in again.");
  const { key_generation } = session;
  demandKey(machine.keyGeneration, key_generation);
  return { principal: { kind: "node" as const, ...machine.base, session_id, key_generation } };
}

async function resolveContainer(
  ask: Ask,
  { sub, result_id, key_generation: keyGeneration }: ContainerClaims,
): Promise<Resolved> {
  const { node_id, collaboration_id, study_id, task_id, image } = sub;
  const [machine, present] = await Promise.all([
    resolveMachine(ask, node_id, "container"),
    ask("task", "attempt", { result_id }),
  ]);
  demandKey(machine.keyGeneration, keyGeneration);
  if (!present || present.task_id !== task_id || present.node_id !== node_id) {
    throw gone("What this token was given for is over, or does not exist any more.");
  }
  if (machine.base.collaboration_id !== collaboration_id) {
    throw gone("The node of this token works in another collaboration now.");
  }
  const { job_id } = present;
  const principal = {
    kind: "container" as const,
    ...machine.base,
    study_id,
    task_id,
    job_id,
    image,
  };
  return { principal, keyGeneration, attempt: present.attempt };
}

function demandKey(present: number, shown: number): void {
  if (present === shown) return;
  throw gone("The node has a new API key since; log in with it.");
}

/** A node, or the container it runs: both belong to one collaboration only. */
async function resolveMachine(ask: Ask, id: number, role: "node" | "container") {
  const node = await ask("collaboration", "node", { id, seen: true });
  if (!node) throw gone("The node of this token does not exist any more.");
  const { organization_id, collaboration_id, key_generation } = node;
  const [memberships, rules] = await Promise.all([
    ask("collaboration", "memberships", { organization_id }),
    ask("identity", "machine_rules", { role }),
  ]);
  return {
    base: {
      id,
      organization_id,
      collaboration_id,
      collaborations: memberships.filter((one) => one.id === collaboration_id),
      rules,
    },
    keyGeneration: key_generation,
  };
}
