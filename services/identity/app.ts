/**
 * identity: organizations, users, roles, rules, tokens and broker credentials.
 *
 * Talks to collaboration (who is a member of what, which node holds a key) and task (what a
 * container token may say) by request over NATS. State is in Postgres alone; a replica can be
 * killed at any moment.
 * @module
 */
import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/contract/app.ts";
import { describeRoutes } from "../../shared/contract/openapi.ts";
import { auditRequests } from "../../shared/storage/audit.ts";
import { DUPLICATES } from "./changes/duplicates.ts";
import type { IdentityDeps } from "./deps.ts";
import { listAudit } from "./routes/audit/list.ts";
import { listAuditCheckpoints } from "./routes/audit/list_checkpoints.ts";
import { listAuditSeals } from "./routes/audit/list_seals.ts";
import { proveAuditConsistency } from "./routes/audit/prove_consistency.ts";
import { createOrganization } from "./routes/organization/create.ts";
import { deleteOrganization } from "./routes/organization/delete.ts";
import { editOrganization } from "./routes/organization/edit.ts";
import { getOrganization } from "./routes/organization/get.ts";
import { listOrganizations } from "./routes/organization/list.ts";
import { changePassword } from "./routes/password/change.ts";
import { confirmSecondFactor } from "./routes/password/confirm_second_factor.ts";
import { offerSecondFactor } from "./routes/password/offer_second_factor.ts";
import { showSecondFactor } from "./routes/password/show_second_factor.ts";
import { lostPassword } from "./routes/recover/lost_password.ts";
import { lostSecondFactor } from "./routes/recover/lost_second_factor.ts";
import { resetPassword } from "./routes/recover/reset_password.ts";
import { resetSecondFactor } from "./routes/recover/reset_second_factor.ts";
import { addRoleRule } from "./routes/role/add_rule.ts";
import { createRole } from "./routes/role/create.ts";
import { deleteRole } from "./routes/role/delete.ts";
import { editRole } from "./routes/role/edit.ts";
import { getRole } from "./routes/role/get.ts";
import { listRoles } from "./routes/role/list.ts";
import { removeRoleRule } from "./routes/role/remove_rule.ts";
import { getRule } from "./routes/rule/get.ts";
import { listRules } from "./routes/rule/list.ts";
import { endOtherSessions } from "./routes/session/end_others.ts";
import { endOwnSession } from "./routes/session/end.ts";
import { listOwnSessions } from "./routes/session/list.ts";
import { listSigningKeys } from "./routes/signing_key/list.ts";
import { giveBrokerCredential } from "./routes/token/broker_credential.ts";
import { giveContainerToken } from "./routes/token/container.ts";
import { logInNode } from "./routes/token/log_in_node.ts";
import { logInUser } from "./routes/token/log_in_user.ts";
import { logOut } from "./routes/token/log_out.ts";
import { refreshTokens } from "./routes/token/refresh.ts";
import { giveStoreToken } from "./routes/token/store.ts";
import { validateNode } from "./routes/token/validate_node.ts";
import { validateUser } from "./routes/token/validate_user.ts";
import { createUser } from "./routes/user/create.ts";
import { deleteUser } from "./routes/user/delete.ts";
import { editUser } from "./routes/user/edit.ts";
import { getUser } from "./routes/user/get.ts";
import { listUsers } from "./routes/user/list.ts";

const OPERATIONS = [
  logInUser,
  validateUser,
  validateNode,
  giveStoreToken,
  logInNode,
  refreshTokens,
  logOut,
  giveContainerToken,
  giveBrokerCredential,

  listOwnSessions,
  endOwnSession,
  endOtherSessions,

  listOrganizations,
  createOrganization,
  getOrganization,
  editOrganization,
  deleteOrganization,

  listUsers,
  createUser,
  getUser,
  editUser,
  deleteUser,

  listRoles,
  createRole,
  getRole,
  editRole,
  deleteRole,
  addRoleRule,
  removeRoleRule,

  listRules,
  getRule,

  changePassword,
  showSecondFactor,
  offerSecondFactor,
  confirmSecondFactor,
  lostPassword,
  resetPassword,
  lostSecondFactor,
  resetSecondFactor,

  listAudit,
  listAuditSeals,
  listAuditCheckpoints,
  proveAuditConsistency,
];

export function createIdentityApp(deps: IdentityDeps): Hono<AppEnv> {
  const root = createApp(deps.log, { duplicates: DUPLICATES });
  listSigningKeys(root, deps);
  const app = root.basePath("/api");
  app.use(auditRequests(deps.db));
  for (const operation of OPERATIONS) operation(app, deps);
  app.get("/openapi.json", (c) => c.json(describeRoutes(app)));
  return app;
}
