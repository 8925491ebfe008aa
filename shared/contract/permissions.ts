/**
 * Who may do what: one pure decision over principal × operation × resource × scope.
 *
 * The vocabulary is v6's (HTTP contract §4): a rule is `resource:OPERATION:SCOPE`, scopes widen
 * from OWN over ORGANIZATION and COLLABORATION to GLOBAL, and a wider scope includes what a
 * narrower one allows only where this module says so.
 * @module
 */
import { z } from "zod";
import { SextantError } from "../service/errors.ts";

export const OPERATIONS = ["VIEW", "EDIT", "CREATE", "DELETE", "SEND", "RECEIVE"] as const;
export type Operation = typeof OPERATIONS[number];

/** Narrow to wide. */
export const SCOPES = ["OWN", "ORGANIZATION", "COLLABORATION", "GLOBAL"] as const;
export type Scope = typeof SCOPES[number];

export const RESOURCES = [
  "node",
  "collaboration",
  "organization",
  "task",
  "run",
  "user",
  "role",
  "port",
  "event",
  "study",
] as const;
export type Resource = typeof RESOURCES[number];

/** What is asked for, without the scope: `task:CREATE`. */
export type Permission = `${Resource}:${Operation}`;
/** What is granted: `task:CREATE:COLLABORATION`. */
export type RuleName = `${Permission}:${Scope}`;

/** The log-in with which a user or node came. */
const session_id = z.uuid().optional();

const principalBase = {
  /** User or node id; for a container the id of the node that runs it. */
  id: z.number().int(),
  organization_id: z.number().int(),
  rules: z.array(z.string()),
  /**
   * Every collaboration the organization belongs to (a node's or container's: the one it works in),
   * with its members.
   */
  collaborations: z.array(z.object({
    id: z.number().int(),
    organization_ids: z.array(z.number().int()),
  })),
};

/** Who is calling, as the gateway resolved it. Travels with each request inside the hub. */
export const principalSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("user"), username: z.string(), session_id, ...principalBase }),
  z.object({
    kind: z.literal("node"),
    collaboration_id: z.number().int(),
    session_id,
    /** Of the API key that the session was begun with. */
    key_generation: z.number().int().optional(),
    ...principalBase,
  }),
  z.object({
    kind: z.literal("container"),
    collaboration_id: z.number().int(),
    study_id: z.number().int().nullable(),
    task_id: z.number().int(),
    /** Of its task: all that it is told of is of this run. */
    job_id: z.number().int(),
    image: z.string(),
    ...principalBase,
  }),
]);
export type Principal = z.infer<typeof principalSchema>;
export type PrincipalKind = Principal["kind"];

/** The scopes in which `principal` holds `permission`. */
export function scopesOf(principal: Principal, permission: Permission): Set<Scope> {
  return new Set(SCOPES.filter((scope) => principal.rules.includes(`${permission}:${scope}`)));
}

/** The widest scope in which `principal` holds `permission`, or `undefined`. */
export function widestScope(principal: Principal, permission: Permission): Scope | undefined {
  const held = scopesOf(principal, permission);
  return SCOPES.findLast((scope) => held.has(scope));
}

/** Whether `principal` holds the rule itself or the same one with a wider scope. */
export function holdsAtLeast(principal: Principal, rule: RuleName): boolean {
  const [resource, operation, scope] = rule.split(":") as [Resource, Operation, Scope];
  const widest = widestScope(principal, `${resource}:${operation}`);
  return widest !== undefined && SCOPES.indexOf(widest) >= SCOPES.indexOf(scope);
}

export function collaborationIds(principal: Principal): number[] {
  return principal.collaborations.map((collaboration) => collaboration.id);
}

/** Own organization and every organization that shares a collaboration with it. */
export function reachableOrganizations(principal: Principal): number[] {
  const ids = principal.collaborations.flatMap((collaboration) => collaboration.organization_ids);
  return [...new Set([principal.organization_id, ...ids])];
}

export function isMember(principal: Principal, collaborationId: number): boolean {
  return principal.collaborations.some((collaboration) => collaboration.id === collaborationId);
}

/** The contract's `ORG(resource:OPERATION, organization)` (§4.3). */
export function mayOrganization(
  principal: Principal,
  permission: Permission,
  organizationId: number | null,
): boolean {
  const held = scopesOf(principal, permission);
  if (held.has("GLOBAL")) return true;
  if (organizationId === null) return false;
  if (held.has("ORGANIZATION") && organizationId === principal.organization_id) return true;
  return held.has("COLLABORATION") &&
    principal.collaborations.some((one) => one.organization_ids.includes(organizationId));
}

/**
 * The contract's `COL(resource:OPERATION, collaboration)` (§4.3); a null collaboration needs
 * GLOBAL.
 */
export function mayCollaboration(
  principal: Principal,
  permission: Permission,
  collaborationId: number | null,
): boolean {
  const held = scopesOf(principal, permission);
  if (held.has("GLOBAL")) return true;
  return held.has("COLLABORATION") && collaborationId !== null &&
    isMember(principal, collaborationId);
}

/** The refusal of §1.5: authenticated, but not permitted. */
export function refuse(what: string): SextantError {
  return new SextantError("forbidden", `You do not have permission to ${what}.`);
}

/** Throws the refusal unless `allowed`. */
export function demand(allowed: boolean, what: string): void {
  if (!allowed) throw refuse(what);
}
