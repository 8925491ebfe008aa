/**
 * Nothing that is changed may leave a hub that nobody can administer.
 * @module
 */
import { SextantError } from "../../../shared/service/errors.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { administrators, lockAdministrators } from "../store/administrator.ts";

export interface Forced {
  /** Do it also when nobody is left who can administer the hub. */
  force?: boolean | undefined;
}

/** The refusal to leave a hub that nobody can administer. */
export class NobodyLeft extends SextantError {
  constructor() {
    super(
      "invalid_request",
      "Cannot take that away: nobody would be left who can administer this server. " +
        "Give another user the role Root first.",
    );
  }
}

/**
 * Runs `work`, a change that may take rights away; throws 400 when nobody is left afterwards who
 * can administer the hub. Where nobody could before, everything is allowed: it gets no worse.
 */
export async function keepAdministrator<Result>(
  tx: Tx,
  { force = false }: Forced,
  work: () => Promise<Result>,
): Promise<Result> {
  if (force) return await work();
  const before = await administrators(tx);
  const result = await work();
  if (before.length > 0) await requireAdministrator(tx);
  return result;
}

/** Throws 400 when nobody can administer the hub, as this transaction has it now. */
export async function requireAdministrator(tx: Tx): Promise<void> {
  await lockAdministrators(tx);
  if ((await administrators(tx)).length > 0) return;
  throw new NobodyLeft();
}
