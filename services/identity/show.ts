/**
 * Rows as the API shows them.
 * @module
 */
import { dateText } from "../../shared/contract/fields.ts";
import type { Organization } from "../../shared/contract/organization.ts";
import { listLink, referTo } from "../../shared/contract/references.ts";
import type { Role } from "../../shared/contract/role.ts";
import type { Rule } from "../../shared/contract/rule.ts";
import type { User } from "../../shared/contract/user.ts";
import type { OrganizationRow } from "./store/organization.ts";
import type { RoleRow } from "./store/role.ts";
import type { RuleRow } from "./store/rule.ts";
import type { UserRow } from "./store/user.ts";

export function showOrganization(row: OrganizationRow): Organization {
  return {
    id: row.id,
    name: row.name,
    domain: row.domain,
    address1: row.address1,
    address2: row.address2,
    zipcode: row.zipcode,
    country: row.country,
    public_key: row.public_key,
    collaborations: listLink("collaboration", "organization_id", row.id),
    nodes: listLink("node", "organization_id", row.id),
    users: listLink("user", "organization_id", row.id),
    tasks: listLink("task", "init_org_id", row.id),
    runs: listLink("run", "organization_id", row.id),
    studies: listLink("study", "organization_id", row.id),
  };
}

/** The second-factor secret is never shown. */
export function showUser(row: UserRow): User {
  return {
    id: row.id,
    type: "user",
    username: row.username,
    firstname: row.firstname,
    lastname: row.lastname,
    email: row.email,
    ip: null,
    last_seen: dateText(row.last_seen),
    status: null,
    otp_secret: null,
    last_email_failed_login_sent: dateText(row.last_email_failed_login_sent),
    last_email_recover_password_sent: dateText(row.last_email_recover_password_sent),
    roles: listLink("role", "user_id", row.id),
    rules: listLink("rule", "user_id", row.id),
    organization: referTo("organization", row.organization_id),
  };
}

export function showRole(row: RoleRow): Role {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    is_default_role: row.is_default_role,
    rules: listLink("rule", "role_id", row.id),
    users: listLink("user", "role_id", row.id),
    organization: referTo("organization", row.organization_id),
  };
}

export function showRule(row: RuleRow): Rule {
  return {
    id: row.id,
    name: row.name,
    operation: row.operation,
    scope: row.scope,
    description: row.description,
    users: listLink("user", "rule_id", row.id),
  };
}
