/**
 * The audit record, beyond v6's API: what is asked of it, and its records and seals.
 * @module
 */
import { z } from "zod";
import { HUB_SERVICES } from "../broker/subjects.ts";
import { queryDate, queryId, text } from "./fields.ts";

const DEFAULT_PER_PAGE = 100;
/** Seals of one service in one answer. */
export const MOST_SEALS = 1000;

const pageNumber = z.string().regex(/^\d{1,4}$/, "must be a positive integer").transform(Number)
  .pipe(z.number().min(1));

export const auditList = z.object({
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

export const auditSealList = z.object({
  service: z.enum(HUB_SERVICES).optional(),
  /** Those after this number; without it the newest ones. */
  after: z.string().regex(/^\d{1,15}$/, "must be the number of a seal, or 0").transform(Number)
    .optional(),
  /** The digest that the asker has noted of the seal after that number. */
  noted: z.string().regex(/^[0-9a-f]{64}$/, "must be the digest of a seal").optional(),
  newest: pageNumber.pipe(z.number().max(MOST_SEALS)).optional(),
}).refine(
  ({ after, newest }) => after === undefined || newest === undefined,
  "after and newest exclude each other",
);

const count = z.string().regex(/^\d{1,15}$/, "must be a number of records").transform(Number);

export const auditConsistency = z.object({ service: z.enum(HUB_SERVICES), from: count, to: count });

const idNumber = z.number().int();

/** A record as one service keeps it. */
export const auditEntry = z.object({
  id: idNumber,
  /** ISO, milliseconds, UTC. */
  at: z.string(),
  request_id: z.string().nullable(),
  who: z.object({ kind: z.string(), id: idNumber, organization_id: idNumber }).nullable(),
  /** The event of a change (`user.changed`), or what was refused (`DELETE /api/user/3`). */
  what: z.string(),
  object: z.object({ noun: z.string(), id: idNumber.nullable() }).nullable(),
  outcome: z.enum(["done", "refused"]),
  status: idNumber.nullable(),
  code: z.string().nullable(),
  method: z.string().nullable(),
  path: z.string().nullable(),
  data: z.unknown(),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** A seal over the records of one service. */
export const sealSchema = z.object({
  number: idNumber,
  last_id: idNumber,
  records: idNumber,
  records_sha256: z.string(),
  /** ISO, UTC. */
  sealed_at: z.string(),
  sha256: z.string(),
});
export type Seal = z.infer<typeof sealSchema>;

const service = z.enum(HUB_SERVICES);

export const auditRecord = auditEntry.extend({ service }).meta({ id: "AuditRecord" });
export const auditSeals = z.object({ data: z.array(sealSchema.extend({ service })) });
export const auditCheckpoints = z.object({ data: z.array(z.string()) });
export const auditProof = z.object({ proof: z.array(z.string()) });
