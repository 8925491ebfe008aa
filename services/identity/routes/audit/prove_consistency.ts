import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { auditConsistency, auditProof } from "../../../../shared/contract/audit.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { IdentityDeps } from "../../deps.ts";

/** Beyond v6's API. */
export function proveAuditConsistency(app: Hono<AppEnv>, { ask }: IdentityDeps): void {
  app.get(
    "/audit/consistency",
    allow(["user", "node"]),
    query(auditConsistency),
    answers(auditProof, {
      does:
        "Proves that one service's audit record, when it had `from` records, is the beginning " +
        "of what it was when it had `to` (RFC 9162, §2.1.4): hashes in base64.",
    }),
    async function proveAuditConsistency(c) {
      const { service, from, to } = c.req.valid("query");
      const { proof } = await ask(service, "audit_consistency", { from, to });
      if (proof !== null) return c.json({ proof });
      throw new SextantError(
        "not_found",
        `The record of ${service} has no ${to} records, or ${from} are more than that.`,
      );
    },
  );
}
