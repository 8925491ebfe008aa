/**
 * Users (contract §3.5): what clients send, and the User they are shown.
 * @module
 */
import { z } from "zod";
import { id, ids, nullAsAbsent, queryBoolean, queryDate, queryId, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { newPassword } from "./password.ts";
import { link, reference } from "./references.ts";

const personName = text.pipe(z.string().max(128));

const username = text.pipe(
  z.string().min(3).max(128).regex(
    /^[a-zA-Z][a-zA-Z0-9._-]+$/,
    "must begin with a letter and hold only letters, digits, dots, dashes and underscores",
  ),
).meta({ examples: ["alice"] });

const emailAddress = text.pipe(z.email("must be an e-mail address").max(254)).meta({
  examples: ["alice@example.org"],
});

export const newUser = z.object({
  username,
  password: newPassword,
  email: emailAddress,
  firstname: personName,
  lastname: personName,
  organization_id: nullAsAbsent(id),
  roles: nullAsAbsent(ids),
  rules: nullAsAbsent(ids),
});

export const userChanges = z.object({
  username: nullAsAbsent(username),
  firstname: nullAsAbsent(personName),
  lastname: nullAsAbsent(personName),
  email: nullAsAbsent(emailAddress),
  /** Beyond v6's API: whoever changes their own address proves who they are. */
  current_password: nullAsAbsent(z.string().max(128)),
  roles: nullAsAbsent(ids),
  rules: nullAsAbsent(ids),
  password: z.null("is changed by PATCH /password/change only").optional(),
});

export const userDeletion = z.object({ delete_dependents: queryBoolean.default(false) });

export const userQuery = z.object({
  /** Any value at all means yes. */
  include_permissions: z.string().optional(),
});

export const userList = pageQuery.extend({
  username: text.optional(),
  firstname: text.optional(),
  lastname: text.optional(),
  email: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  role_id: queryId.optional(),
  rule_id: queryId.optional(),
  last_seen_from: queryDate.optional(),
  last_seen_till: queryDate.optional(),
});

const idNumber = z.number().int();
/** Naive UTC. */
const moment = z.string().nullable();

export const user = z.object({
  id: idNumber,
  type: z.literal("user"),
  username: z.string(),
  firstname: z.string().nullable(),
  lastname: z.string().nullable(),
  email: z.string().nullable(),
  ip: z.null(),
  last_seen: moment,
  status: z.null(),
  /** Never shown. */
  otp_secret: z.null(),
  last_email_failed_login_sent: moment,
  last_email_recover_password_sent: moment,
  roles: link,
  rules: link,
  organization: reference,
  /** With `include_permissions`. */
  permissions: z.object({
    roles: z.array(idNumber),
    /** Those of the roles too. */
    rules: z.array(idNumber),
    /** The user's own and all that share a collaboration with it. */
    orgs_in_collabs: z.array(idNumber),
  }).optional(),
}).meta({ id: "User" });
export type User = z.infer<typeof user>;
