/**
 * Writes the catalogue of rules and default roles to the database, at the start.
 * @module
 */
import type { Db } from "../../../shared/storage/db.ts";
import { DEFAULT_ROLES, RULES } from "../rights/catalogue.ts";
import { defaultRoleId } from "./role.ts";

/** Writes rules and default roles as the catalogue has them, mending what was changed by hand. */
export async function seedCatalogue(db: Db): Promise<void> {
  await db.begin(async (tx) => {
    await tx`lock table rule, role in share row exclusive mode`;
    await tx`
      insert into rule ${tx(RULES.map((rule) => ({ ...rule })))}
      on conflict (id) do update set name = excluded.name, operation = excluded.operation,
        scope = excluded.scope, description = excluded.description`;
    for (const { name, description, rules } of DEFAULT_ROLES) {
      await tx`
        insert into role (name, description, is_default_role) values (${name}, ${description}, true)
        on conflict (name) where is_default_role do update set description = excluded.description`;
      const id = await defaultRoleId(tx, name);
      const wanted = tx`
        select id from rule where name || ':' || operation || ':' || scope = any(${rules})`;
      await tx`delete from role_rule where role_id = ${id} and rule_id not in (${wanted})`;
      await tx`
        insert into role_rule (role_id, rule_id) select ${id}, id from (${wanted}) as wanted
        on conflict do nothing`;
    }
  });
}
