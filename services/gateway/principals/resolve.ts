/**
 * Who is behind the claims of a token, asked of identity and collaboration.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { Claims } from "../../../shared/contract/tokens.ts";
import type { Ask } from "../../../shared/messages/questions.ts";

export interface Resolved {
  principal: Principal;
  /** Unix seconds: tokens issued before are refused. */
  tokensSince: number;
}

/** The principal of a verified token; `undefined` when there is none any more. */
export async function resolvePrincipal(ask: Ask, claims: Claims): Promise<Resolved | undefined> {
  return claims.client_type === "user"
    ? await resolveUser(ask, claims.sub)
    : await resolveMachine(ask, claims);
}

async function resolveUser(ask: Ask, id: number): Promise<Resolved | undefined> {
  const user = await ask("identity", "user", { id });
  if (!user) return undefined;
  const { organization_id } = user;
  const collaborations = await ask("collaboration", "memberships", { organization_id });
  return { principal: { kind: "user", ...user, collaborations }, tokensSince: 0 };
}

/** A node, or the container it runs: both belong to one collaboration only. */
async function resolveMachine(ask: Ask, claims: Claims): Promise<Resolved | undefined> {
  const container = claims.client_type === "container" ? claims.sub : undefined;
  const node = await ask("collaboration", "node", {
    id: container?.node_id ?? Number(claims.sub),
    seen: true,
  });
  if (!node) return undefined;
  const { id, organization_id, collaboration_id, tokens_since: tokensSince = 0 } = node;
  const [memberships, rules] = await Promise.all([
    ask("collaboration", "memberships", { organization_id }),
    ask("identity", "machine_rules", { role: container ? "container" : "node" }),
  ]);
  const base = {
    id,
    organization_id,
    collaboration_id,
    collaborations: memberships.filter((one) => one.id === collaboration_id),
    rules,
  };
  if (!container) return { principal: { kind: "node", ...base }, tokensSince };
  if (container.collaboration_id !== collaboration_id) return undefined;
  const { study_id, task_id, image } = container;
  return { principal: { kind: "container", ...base, study_id, task_id, image }, tokensSince };
}
