import type { Payloads } from "../encryption/payloads.ts";
import type { AuditLog } from "./audit_log.ts";
import { digestOf } from "./audit_record.ts";

/** Puts what is written for nodes of other organizations into the audit log, before it leaves. */
export function auditedPayloads(payloads: Payloads, audit: Pick<AuditLog, "record">): Payloads {
  return {
    ...payloads,
    async encode(content, organizationId) {
      const stored = await payloads.encode(content, organizationId);
      await audit.record("subtask input leaves", {
        organization_id: organizationId,
        bytes: stored.length,
        sha256: digestOf(stored),
      });
      return stored;
    },
  };
}
