/**
 * The SQL of rules: those there are, and those that users and roles hold.
 * @module
 */
import { type Db, type Fragment, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import type { RuleName } from "../../../shared/contract/permissions.ts";

export interface RuleRow {
  id: number;
  name: string;
  operation: string;
  scope: string;
  description: string;
}

const ruleColumns = (tx: Tx) => tx`id, name, operation, scope, description`;

export async function ruleById(tx: Tx, id: number): Promise<RuleRow | undefined> {
  const [row] = await tx<RuleRow[]>`select ${ruleColumns(tx)} from rule where id = ${id}`;
  return row;
}

export function ruleRows(db: Db): RowList<RuleRow> {
  return rowList<RuleRow>(db, { columns: ruleColumns(db), from: db`rule` });
}

/** Which of these rules exist. */
export async function rulesByIds(tx: Tx, ids: number[]): Promise<RuleRow[]> {
  return await tx<RuleRow[]>`select ${
    ruleColumns(tx)
  } from rule where id = any(${ids}) order by id`;
}

export async function rulesOfRole(tx: Tx, roleId: number): Promise<RuleRow[]> {
  return await tx<RuleRow[]>`
    select ${ruleColumns(tx)} from rule
    where id in (select rule_id from role_rule where role_id = ${roleId}) order by id`;
}

async function ruleNames(tx: Tx, ruleIds: Fragment): Promise<RuleName[]> {
  const rows = await tx<{ rule: RuleName }[]>`
    select name || ':' || operation || ':' || scope as rule from rule
    where id in (${ruleIds}) order by id`;
  return rows.map((row) => row.rule);
}

export async function ruleNamesByIds(tx: Tx, ids: number[]): Promise<RuleName[]> {
  return await ruleNames(tx, tx`select unnest(${ids}::integer[])`);
}

export async function ruleNamesOfRoles(tx: Tx, roleIds: number[]): Promise<RuleName[]> {
  return await ruleNames(tx, tx`select rule_id from role_rule where role_id = any(${roleIds})`);
}

/** The union of the rules of all roles of a user and those attached directly. */
export function effectiveRules(tx: Tx, userId: number): Fragment {
  return tx`
    select rule_id from user_rule where user_id = ${userId}
    union
    select rule_id from user_role join role_rule using (role_id) where user_id = ${userId}`;
}

export async function ruleNamesOfUser(tx: Tx, userId: number): Promise<RuleName[]> {
  return await ruleNames(tx, effectiveRules(tx, userId));
}

export async function effectiveRuleIdsOfUser(tx: Tx, userId: number): Promise<number[]> {
  const rows = await tx<{ rule_id: number }[]>`${effectiveRules(tx, userId)} order by rule_id`;
  return rows.map((row) => row.rule_id);
}
