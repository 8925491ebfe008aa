/**
 * The 86 rules and the default roles of v6 (HTTP contract §4.2 and §4.4).
 * @module
 */
import type { Operation, Resource, RuleName, Scope } from "../../../shared/contract/permissions.ts";

const GRID: [Resource, Operation, Scope[]][] = [
  ["node", "VIEW", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["node", "EDIT", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["node", "CREATE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["node", "DELETE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["collaboration", "VIEW", ["GLOBAL", "ORGANIZATION"]],
  ["collaboration", "EDIT", ["GLOBAL", "COLLABORATION"]],
  ["collaboration", "CREATE", ["GLOBAL"]],
  ["collaboration", "DELETE", ["GLOBAL", "COLLABORATION"]],
  ["organization", "VIEW", ["GLOBAL", "ORGANIZATION", "COLLABORATION"]],
  ["organization", "EDIT", ["GLOBAL", "ORGANIZATION", "COLLABORATION"]],
  ["organization", "CREATE", ["GLOBAL"]],
  ["organization", "DELETE", ["GLOBAL"]],
  ["task", "VIEW", ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]],
  ["task", "CREATE", ["GLOBAL", "COLLABORATION"]],
  ["task", "DELETE", ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]],
  ["run", "VIEW", ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]],
  ["user", "VIEW", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["user", "CREATE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["user", "EDIT", ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]],
  ["user", "DELETE", ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]],
  ["role", "VIEW", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["role", "CREATE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["role", "EDIT", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["role", "DELETE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["port", "VIEW", ["GLOBAL", "ORGANIZATION"]],
  ["event", "RECEIVE", ["ORGANIZATION", "COLLABORATION", "GLOBAL"]],
  ["event", "SEND", ["ORGANIZATION", "COLLABORATION", "GLOBAL"]],
  ["study", "VIEW", ["GLOBAL", "ORGANIZATION", "COLLABORATION"]],
  ["study", "EDIT", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
  ["study", "CREATE", ["GLOBAL", "COLLABORATION"]],
  ["study", "DELETE", ["GLOBAL", "COLLABORATION", "ORGANIZATION"]],
];

export interface RuleRecord {
  id: number;
  name: Resource;
  operation: Operation;
  scope: Scope;
  description: string;
}

const REACH: Record<Scope, string> = {
  OWN: "of one's own",
  ORGANIZATION: "within one's organization",
  COLLABORATION: "within one's collaborations",
  GLOBAL: "anywhere",
};

/** All rules, with the ids that a freshly initialised server of v6 gives them. */
export const RULES: readonly RuleRecord[] = GRID
  .flatMap(([name, operation, scopes]) => scopes.map((scope) => ({ name, operation, scope })))
  .map((rule, index) => ({
    id: index + 1,
    ...rule,
    description: `${rule.operation.toLowerCase()} a ${rule.name} ${REACH[rule.scope]}`,
  }));

export function ruleName(rule: Pick<RuleRecord, "name" | "operation" | "scope">): RuleName {
  return `${rule.name}:${rule.operation}:${rule.scope}`;
}

export interface DefaultRole {
  name: string;
  description: string;
  rules: RuleName[];
}

const CONTAINER: RuleName[] = [
  "node:VIEW:ORGANIZATION",
  "collaboration:VIEW:ORGANIZATION",
  "organization:VIEW:ORGANIZATION",
  "organization:VIEW:COLLABORATION",
  "task:VIEW:COLLABORATION",
  "run:VIEW:COLLABORATION",
  "port:VIEW:ORGANIZATION",
  "study:VIEW:ORGANIZATION",
];

const VIEWER: RuleName[] = [
  "user:VIEW:ORGANIZATION",
  "user:EDIT:OWN",
  "user:DELETE:OWN",
  "organization:VIEW:ORGANIZATION",
  "organization:VIEW:COLLABORATION",
  "collaboration:VIEW:ORGANIZATION",
  "role:VIEW:ORGANIZATION",
  "node:VIEW:ORGANIZATION",
  "node:VIEW:COLLABORATION",
  "task:VIEW:COLLABORATION",
  "run:VIEW:COLLABORATION",
  "port:VIEW:ORGANIZATION",
  "event:RECEIVE:ORGANIZATION",
  "event:RECEIVE:COLLABORATION",
  "study:VIEW:ORGANIZATION",
];

const RESEARCHER: RuleName[] = [...VIEWER, "task:CREATE:COLLABORATION", "task:DELETE:ORGANIZATION"];

const ORGANIZATION_ADMIN: RuleName[] = [
  ...VIEWER,
  "user:CREATE:ORGANIZATION",
  "user:EDIT:ORGANIZATION",
  "user:DELETE:ORGANIZATION",
  "organization:EDIT:ORGANIZATION",
  "role:CREATE:ORGANIZATION",
  "role:EDIT:ORGANIZATION",
  "role:DELETE:ORGANIZATION",
  "node:CREATE:ORGANIZATION",
  "node:EDIT:ORGANIZATION",
  "event:SEND:ORGANIZATION",
];

const COLLABORATION_ADMIN: RuleName[] = [
  ...new Set<RuleName>([
    ...ORGANIZATION_ADMIN,
    ...RESEARCHER,
    "user:VIEW:COLLABORATION",
    "user:CREATE:COLLABORATION",
    "user:EDIT:COLLABORATION",
    "organization:VIEW:GLOBAL",
    "organization:EDIT:COLLABORATION",
    "collaboration:EDIT:COLLABORATION",
    "role:VIEW:COLLABORATION",
    "node:VIEW:COLLABORATION",
    "node:CREATE:COLLABORATION",
    "node:DELETE:COLLABORATION",
    "event:SEND:COLLABORATION",
    "study:VIEW:COLLABORATION",
    "study:CREATE:COLLABORATION",
    "study:EDIT:COLLABORATION",
    "study:DELETE:COLLABORATION",
  ]),
];

/** The default roles in the order in which they are created. Neither editable nor deletable. */
export const DEFAULT_ROLES: readonly DefaultRole[] = [
  { name: "Root", description: "May do everything", rules: RULES.map(ruleName) },
  { name: "container", description: "What a running algorithm may do", rules: CONTAINER },
  {
    name: "node",
    description: "What a node may do",
    rules: [...CONTAINER, "node:EDIT:ORGANIZATION", "organization:EDIT:ORGANIZATION"],
  },
  { name: "Viewer", description: "Sees what their organization takes part in", rules: VIEWER },
  { name: "Researcher", description: "Views and creates tasks", rules: RESEARCHER },
  {
    name: "Organization Admin",
    description: "Manages their own organization",
    rules: ORGANIZATION_ADMIN,
  },
  {
    name: "Collaboration Admin",
    description: "Manages the collaborations of their organization",
    rules: COLLABORATION_ADMIN,
  },
];
