import { Hono } from "hono";
import { z } from "zod";
import type { AuditQuestion } from "../../../shared/storage/audit.ts";
import { pageAnswer } from "../../../shared/contract/paging.ts";
import { queryDate, queryId, text } from "../../../shared/contract/fields.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { query } from "../../../shared/contract/validate.ts";
import { demand, widestScope } from "../../../shared/contract/permissions.ts";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import type { IdentityDeps } from "../deps.ts";

/** Each service is asked for its newest records; deeper than this a reader goes by `till`. */
const DEEPEST = 1000;
const DEFAULT_PER_PAGE = 100;

const pageNumber = z.string().regex(/^\d{1,4}$/, "must be a positive integer").transform(Number)
  .pipe(z.number().min(1));

const listQuery = z.object({
  service: z.enum(HUB_SERVICES).optional(),
  who_kind: z.enum(["user", "node", "container", "operator"]).optional(),
  who_id: queryId.optional(),
  organization_id: queryId.optional(),
  what: text.optional(),
  object: text.optional(),
  object_id: queryId.optional(),
  outcome: z.enum(["done", "refused"]).optional(),
  request_id: text.optional(),
  from: queryDate.optional(),
  till: queryDate.optional(),
  page: pageNumber.default(1),
  per_page: pageNumber.default(DEFAULT_PER_PAGE),
});

/** Seals of one service in one answer. */
const MOST_SEALS = 1000;

const sealsQuery = z.object({
  service: z.enum(HUB_SERVICES).optional(),
  /** Those after this number; without it the newest ones. */
  after: z.string().regex(/^\d{1,15}$/, "must be the number of a seal, or 0").transform(Number)
    .optional(),
  newest: pageNumber.pipe(z.number().max(MOST_SEALS)).optional(),
}).refine(
  ({ after, newest }) => after === undefined || newest === undefined,
  "after and newest exclude each other",
);

export function auditRoutes({ ask }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  // Beyond the field's API. Each service keeps its own records, in the transactions of its own changes.
  routes.get("/audit", allow(["user"], "user:EDIT"), query(listQuery), async function listAudit(c) {
    const administrator = widestScope(c.get("principal"), "user:EDIT") === "GLOBAL";
    demand(administrator, "read the audit record");
    const { service: only, page, per_page, from, till, ...filters } = c.req.valid("query");
    const limit = page * per_page;
    if (limit > DEEPEST) {
      throw new SextantError(
        "invalid_request",
        `Only the newest ${DEEPEST} records can be paged through; use "till" to see older ones.`,
      );
    }
    const question = withoutAbsent({
      ...filters,
      from: from?.toISOString(),
      till: till?.toISOString(),
      limit,
    }) as AuditQuestion;
    const services = HUB_SERVICES.filter((one) => only === undefined || one === only);
    const answers = await Promise.all(services.map(async (service) => {
      const { total, entries } = await ask(service, "audit", question);
      return { total, entries: entries.map((entry) => ({ service, ...entry })) };
    }));
    const newest = answers.flatMap((answer) => answer.entries)
      .sort((left, right) => right.at.localeCompare(left.at) || right.id - left.id)
      .slice(limit - per_page, limit);
    const total = answers.reduce((sum, answer) => sum + answer.total, 0);
    return pageAnswer(c, newest, total, { page, per_page });
  });

  // For whoever wants to hold the hub to its record: a seal says how many records there are, and nothing of them.
  routes.get(
    "/audit/seals",
    allow(["user", "node"]),
    query(sealsQuery),
    async function listSeals(c) {
      const { service, after, newest } = c.req.valid("query");
      const question = after === undefined ? { newest: newest ?? 1 } : { after, limit: MOST_SEALS };
      const services = HUB_SERVICES.filter((one) => service === undefined || one === service);
      const lists = await Promise.all(services.map(async (service) => {
        const { seals } = await ask(service, "audit_seals", question);
        return seals.map((seal) => ({ service, ...seal }));
      }));
      return c.json({ data: lists.flat() });
    },
  );

  return routes;
}

function withoutAbsent(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
