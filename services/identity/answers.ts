/**
 * What identity answers to the other services. What it says on its own stands where the change is
 * made.
 * @module
 */
import { auditEntries, recordRefusal } from "../../shared/storage/audit.ts";
import { seals } from "../../shared/storage/audit_seal.ts";
import { consistencyProof, newestHead } from "../../shared/storage/audit_tree.ts";
import { ownHealth } from "../../shared/storage/health.ts";
import { storageMetrics } from "../../shared/storage/metrics.ts";
import type { RpcHandlers } from "../../shared/messages/questions.ts";
import type { IdentityDeps } from "./deps.ts";
import { DEFAULT_ROLES } from "./rights/catalogue.ts";
import { shutNodesOut } from "./broker/shut_out.ts";
import { storeToken } from "./sessions/store_token.ts";
import { showOrganization } from "./show.ts";
import { organizationNames, organizationsByIds } from "./store/organization.ts";
import { ruleNamesOfUser } from "./store/rule.ts";
import { liveSession } from "./store/session.ts";
import { touchUser, userById } from "./store/user.ts";

export function identityAnswers(
  { db, outbox, keys, broker, ask, now }: IdentityDeps,
): RpcHandlers<"identity"> {
  return {
    keys: async () => await keys.publicKeys() as Record<string, unknown>[],
    async user({ id, session_id }) {
      const [user, session] = await Promise.all([
        userById(db, id),
        liveSession(db, session_id, { type: "user", id }, now()),
      ]);
      if (!user || !session) return null;
      await touchUser(db, id, now());
      const { username, organization_id } = user;
      return { id, username, organization_id, rules: await ruleNamesOfUser(db, id) };
    },
    async node_session({ node_id, session_id }) {
      const session = await liveSession(db, session_id, { type: "node", id: node_id }, now());
      return session ? { key_generation: session.key_generation ?? 0 } : null;
    },
    async store_token({ client_type: type, client_id: id, session_id: sid, store_url }) {
      return { token: await storeToken({ keys, now }, { client: { type, id }, sid, store_url }) };
    },
    async user_place({ id }) {
      const user = await userById(db, id);
      return user ? { id, organization_id: user.organization_id } : null;
    },
    machine_rules: ({ role }) =>
      Promise.resolve(DEFAULT_ROLES.find((one) => one.name === role)!.rules),
    node_issuers: () => Promise.resolve(broker.issuers),
    organizations: ({ ids }) => organizationNames(db, ids),
    async show_organizations({ ids }) {
      return (await organizationsByIds(db, ids)).map(showOrganization);
    },
    async revoke_nodes({ node_ids }) {
      await shutNodesOut({ db, ask, now, broker }, node_ids);
      return {};
    },
    async record_refusal(refusal) {
      await recordRefusal(db, refusal);
      return {};
    },
    audit: (question) => auditEntries(db, question),
    audit_seals: async (question) => ({ seals: await seals(db, question) }),
    audit_tree: async () => ({ head: await newestHead(db) ?? null }),
    audit_consistency: (question) => consistencyProof(db, question),
    health: () => ownHealth({ db, outbox }),
    metrics: () => storageMetrics(db, "identity"),
  };
}
