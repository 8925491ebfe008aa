/**
 * The SQL of e-mail addresses that several users share but for capitals: there were such before
 * addresses were compared without regard to case.
 * @module
 */
import type { Db } from "../../../shared/storage/db.ts";

export interface SharedAddress {
  username: string;
  email: string;
}

/**
 * Gives users whose address nobody else has any more the whole of it, and returns those who still
 * share theirs: mail is found for them by their own spelling alone.
 */
export async function settleSharedAddresses(db: Db): Promise<SharedAddress[]> {
  await db`
    update "user" as one set email_key = lower(email)
    where email_key <> lower(email)
      and not exists (select from "user" where email_key = lower(one.email))
      and not exists (
        select from "user" as earlier
        where lower(earlier.email) = lower(one.email) and earlier.id < one.id)`;
  return [
    ...await db<SharedAddress[]>`
      select username, email from "user" where email_key <> lower(email) order by id`,
  ];
}
