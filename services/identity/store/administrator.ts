/**
 * The SQL of those who can administer the hub.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import { ADMINISTRATOR_RULES } from "../rules.ts";

export interface Administrator {
  id: number;
  username: string;
  organization_id: number;
}

/** The users who can administer the hub, the oldest first; see `canAdminister()`. */
export async function administrators(tx: Tx): Promise<Administrator[]> {
  return await tx<Administrator[]>`
    select id, username, organization_id from "user" where id in (
      select user_id from (
        select user_id, rule_id from user_rule
        union
        select user_id, rule_id from user_role join role_rule using (role_id)
      ) as held join rule on rule.id = rule_id
      where name || ':' || operation || ':' || scope = any(${ADMINISTRATOR_RULES})
      group by user_id having count(*) = ${ADMINISTRATOR_RULES.length}
    ) order by id`;
}

/**
 * Keeps others who might take away the last administrator waiting until this transaction ends: two
 * administrators who delete each other must not both find the other one there. Taken after the
 * locks of rows, by everybody, so that nobody waits for each other.
 */
export async function lockAdministrators(tx: Tx): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtext('identity: administrators'))`;
}
