import type { Hono } from "hono";
import type { z } from "zod";
import { HUB_SERVICES } from "../../../../shared/broker/subjects.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { auditList, auditRecord } from "../../../../shared/contract/audit.ts";
import { pageAnswer, pageOf } from "../../../../shared/contract/paging.ts";
import { demand, widestScope } from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { AuditQuestion } from "../../../../shared/storage/audit.ts";
import type { IdentityDeps } from "../../deps.ts";

/** Each service is asked for its newest records; deeper than this a reader goes by `till`. */
const DEEPEST = 1000;

/** Beyond v6's API. Each service keeps its own records, in the transactions of its own changes. */
export function listAudit(app: Hono<AppEnv>, { ask }: IdentityDeps): void {
  app.get(
    "/audit",
    allow(["user"], "user:EDIT"),
    query(auditList),
    answers(pageOf(auditRecord), {
      does: "What was changed, and what was refused, of all services, the newest first. " +
        "For administrators (user:EDIT:GLOBAL). No service counts further than 10,000 records.",
    }),
    async function listAudit(c) {
      const administrator = widestScope(c.get("principal"), "user:EDIT") === "GLOBAL";
      demand(administrator, "read the audit record");
      const { service: only, page, per_page, ...filters } = c.req.valid("query");
      const limit = page * per_page;
      if (limit > DEEPEST) {
        throw new SextantError(
          "invalid_request",
          `Only the newest ${DEEPEST} records can be paged through; use "till" to see older ones.`,
        );
      }
      const question = questionOf(filters, limit);
      const services = HUB_SERVICES.filter((one) => only === undefined || one === only);
      const parts = await Promise.all(services.map(async (service) => {
        const { total, entries } = await ask(service, "audit", question);
        return { total, entries: entries.map((entry) => ({ service, ...entry })) };
      }));
      const newest = parts.flatMap((part) => part.entries)
        .sort((left, right) => right.at.localeCompare(left.at) || right.id - left.id)
        .slice(limit - per_page, limit);
      const total = parts.reduce((sum, part) => sum + part.total, 0);
      return pageAnswer(c, newest, total, { page, per_page });
    },
  );
}

type Filters = Omit<z.output<typeof auditList>, "service" | "page" | "per_page">;

function questionOf({ from, till, ...filters }: Filters, limit: number): AuditQuestion {
  const question = { ...filters, from: from?.toISOString(), till: till?.toISOString(), limit };
  const given = Object.entries(question).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as AuditQuestion;
}
