import type { Hono } from "hono";
import { HUB_SERVICES } from "../../../../shared/broker/subjects.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { auditSealList, auditSeals, MOST_SEALS } from "../../../../shared/contract/audit.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { recordUnknownSeal } from "../../../../shared/storage/noted_seals.ts";
import type { IdentityDeps } from "../../deps.ts";

/** Beyond v6's API. */
export function listAuditSeals(app: Hono<AppEnv>, { ask, db }: IdentityDeps): void {
  app.get(
    "/audit/seals",
    allow(["user", "node"]),
    query(auditSealList),
    answers(auditSeals, {
      does: "For whoever wants to hold the hub to its record: a seal says how many records there " +
        "are, and nothing of them.",
    }),
    async function listAuditSeals(c) {
      const { service, after, newest, noted: sha256 } = c.req.valid("query");
      const question = after === undefined ? { newest: newest ?? 1 } : { after, limit: MOST_SEALS };
      const services = HUB_SERVICES.filter((one) => service === undefined || one === service);
      const lists = await Promise.all(services.map(async (service) => {
        const { seals } = await ask(service, "audit_seals", question);
        return seals.map((seal) => ({ service, ...seal }));
      }));
      const principal = c.get("principal");
      if (principal.kind === "node" && service && after !== undefined && sha256 !== undefined) {
        const seal = lists[0]![0];
        if (seal?.number !== after + 1 || seal.sha256 !== sha256) {
          await recordUnknownSeal(db, principal.id, { service, number: after + 1, sha256 });
        }
      }
      return c.json({ data: lists.flat() });
    },
  );
}
