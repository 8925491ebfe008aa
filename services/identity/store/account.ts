/**
 * The SQL of log-in, lockout, second factor and recovery.
 * @module
 */
import type { Db, Fragment, Tx } from "../../../shared/storage/db.ts";
import type { LockoutPolicy } from "../rules.ts";

export interface LoginRow {
  id: number;
  username: string;
  password_hash: string;
  email: string | null;
  organization_id: number;
  otp_secret: string | null;
  recoverable: boolean;
}

export type LoginKey = { id: number } | { username: string } | { email: string };

export interface FoundLogin {
  login: LoginRow | undefined;
  /** Whether any user still has a bcrypt hash. */
  bcryptInUse: boolean;
}

/**
 * The user named by `key`; an address is compared without regard to case. One statement, whether
 * there is such a user or not.
 */
export async function findLogin(tx: Tx, key: LoginKey): Promise<FoundLogin> {
  const [[column, value]] = Object.entries(key) as [[string, string | number]];
  // Of several who share an address but for capitals, the one who spells it so comes first.
  const found = column === "email"
    ? tx`email_key in (${value}, lower(${value})) order by email_key = ${value} desc limit 1`
    : tx`${tx(column)} = ${value}`;
  const [row] = await tx<(LoginRow & { bcrypt_in_use: boolean })[]>`
    select login.id, username, password_hash, email, organization_id, otp_secret, recoverable,
      exists (select from "user" where password_hash like '$2%') as bcrypt_in_use
    from (values (1)) as one
    left join lateral (select * from "user" where ${found}) as login on true`;
  const { bcrypt_in_use, ...login } = row!;
  return { login: login.id === null ? undefined : login, bcryptInUse: bcrypt_in_use };
}

function isLocked(tx: Tx, at: Date, policy: LockoutPolicy): Fragment {
  const since = new Date(at.getTime() - policy.inactivationMinutes * 60_000);
  return tx`(failed_login_attempts >= ${policy.maxFailedAttempts} and last_login_attempt > ${since})`;
}

/** Rows that stand for unknown users; several, so that they do not queue for one. */
const STRANGERS = 64;

/**
 * Counts one failure, in one statement: guesses made at once are all counted. While the account is
 * locked nothing is counted and the lock is not extended; the first failure after a lock starts
 * again at 1. An unknown user costs the same. Returns whether the account is locked now.
 */
export async function recordFailure(
  tx: Tx,
  userId: number | undefined,
  at: Date,
  policy: LockoutPolicy,
): Promise<boolean> {
  const locked = isLocked(tx, at, policy);
  const table = userId === undefined ? tx`stranger` : tx`"user"`;
  const id = userId ?? Math.floor(Math.random() * STRANGERS);
  const [row] = await tx<{ locked: boolean }[]>`
    update ${table} set
      failed_login_attempts = case
        when ${locked} then failed_login_attempts
        when failed_login_attempts >= ${policy.maxFailedAttempts} then 1
        else failed_login_attempts + 1 end,
      last_login_attempt = case when ${locked} then last_login_attempt else ${at} end
    where id = ${id}
    returning failed_login_attempts >= ${policy.maxFailedAttempts} as locked`;
  return userId !== undefined && (row?.locked ?? false);
}

/**
 * Whether the account is open to somebody who has shown the right password. Asked in the database
 * at this moment, so that a right guess among many made at once does not slip past the lock they
 * cause.
 */
export async function accountIsOpen(
  tx: Tx,
  userId: number,
  at: Date,
  policy: LockoutPolicy,
): Promise<boolean> {
  const [row] = await tx`
    select 1 from "user" where id = ${userId} and not ${isLocked(tx, at, policy)} for update`;
  return row !== undefined;
}

/**
 * Counts a complete log-in: failures start at zero again. False when the account is locked, or has
 * another password or second factor by now.
 */
export async function recordSuccess(
  tx: Tx,
  { id, password_hash, otp_secret }: LoginRow,
  at: Date,
  policy: LockoutPolicy,
): Promise<boolean> {
  const [row] = await tx`
    update "user" set failed_login_attempts = 0, last_login_attempt = ${at}
    where id = ${id} and password_hash = ${password_hash}
      and otp_secret is not distinct from ${otp_secret} and not ${isLocked(tx, at, policy)}
    returning id`;
  return row !== undefined;
}

/**
 * Whether password and second factor are still those that were read. Until the transaction ends
 * nobody replaces them.
 */
export async function lockProof(
  tx: Tx,
  { id, password_hash, otp_secret }: LoginRow,
): Promise<boolean> {
  const [row] = await tx`
    select 1 from "user" where id = ${id} and password_hash = ${password_hash}
      and otp_secret is not distinct from ${otp_secret} for update`;
  return row !== undefined;
}

export async function setPasswordHash(tx: Tx, userId: number, hash: string): Promise<void> {
  await tx`update "user" set password_hash = ${hash} where id = ${userId}`;
}

/** Replaces a hash by a better one of the same password. False when it is another by now. */
export async function upgradePasswordHash(
  tx: Tx,
  userId: number,
  { from, to }: { from: string; to: string },
): Promise<boolean> {
  const changed = await tx`
    update "user" set password_hash = ${to} where id = ${userId} and password_hash = ${from}`;
  return changed.count > 0;
}

export async function clearFailures(tx: Tx, userId: number): Promise<void> {
  await tx`update "user" set failed_login_attempts = 0 where id = ${userId}`;
}

// -- second factor
// ------------------------------------------------------------------------------------------

// Its secret is sealed here: see `secrets/stored.ts`.

/** Null takes the second factor away: the next log-in sets one up. */
export async function setOtpSecret(
  tx: Tx,
  userId: number,
  secret: string | null,
): Promise<void> {
  await tx`
    update "user" set otp_secret = ${secret} where id = ${userId}`;
  await tx`delete from otp_use where user_id = ${userId}`;
}

/** Sets the first secret of a user. False when there is one by now, or another password. */
export async function setFirstOtpSecret(
  tx: Tx,
  { id, password_hash }: LoginRow,
  secret: string,
): Promise<boolean> {
  const [row] = await tx`
    update "user" set otp_secret = ${secret}
    where id = ${id} and password_hash = ${password_hash} and otp_secret is null returning id`;
  return row !== undefined;
}

/** Codes of this many steps are accepted at a time; older ones need not be remembered. */
const STEPS_REMEMBERED = 4;

/**
 * Uses the code of a time step, `most` times at most and all from one network. False when it may
 * not be used any more.
 */
export async function useOtpStep(
  tx: Tx,
  userId: number,
  { step, network, most }: { step: number; network: string; most: number },
): Promise<boolean> {
  await tx`delete from otp_use where user_id = ${userId} and step <= ${step - STEPS_REMEMBERED}`;
  const [row] = await tx`
    insert into otp_use (user_id, step, network) values (${userId}, ${step}, ${network})
    on conflict (user_id, step) do update set uses = otp_use.uses + 1
    where otp_use.network = excluded.network and otp_use.uses < ${most}
    returning uses`;
  return row !== undefined;
}

// -- mail and reset tokens
// ----------------------------------------------------------------------------------

export type MailKind = "failed_login" | "recover_password" | "recover_two_factor";

/** Takes the user's right to one such mail in `minutes`. False when one was sent more recently. */
export async function claimMail(
  tx: Tx,
  userId: number,
  kind: MailKind,
  at: Date,
  minutes: number,
): Promise<boolean> {
  const column = tx(`last_email_${kind}_sent`);
  const [row] = await tx`
    update "user" set ${column} = ${at}
    where id = ${userId}
      and (${column} is null or ${column} <= ${new Date(at.getTime() - minutes * 60_000)})
    returning id`;
  return row !== undefined;
}

/** Gives the right back: the mail could not be sent. */
export async function releaseMail(tx: Tx, userId: number, kind: MailKind): Promise<void> {
  await tx`update "user" set ${tx(`last_email_${kind}_sent`)} = null where id = ${userId}`;
}

export type ResetPurpose = "password" | "two_factor";

/** Only the hash is kept: whoever reads the database cannot use it. */
export async function insertResetToken(
  tx: Tx,
  token: { sha256: string; user_id: number; purpose: ResetPurpose; expires_at: Date },
): Promise<void> {
  await tx`insert into reset_token ${tx({ ...token })}`;
}

/**
 * Uses the token up and returns whose it is; "expired" or undefined (unknown, used, of another
 * purpose) if not good.
 */
export async function useResetToken(
  tx: Tx,
  { sha256, purpose, at }: { sha256: string; purpose: ResetPurpose; at: Date },
): Promise<number | "expired" | undefined> {
  const [row] = await tx<{ user_id: number; expired: boolean }[]>`
    delete from reset_token where sha256 = ${sha256} and purpose = ${purpose}
    returning user_id, expires_at <= ${at} as expired`;
  return row?.expired ? "expired" : row?.user_id;
}

/** Takes away every reset token of a user: one of them was used, or the password is known again. */
export async function deleteResetTokens(tx: Tx, userId: number): Promise<void> {
  await tx`delete from reset_token where user_id = ${userId}`;
}

export async function deleteExpiredResetTokens(db: Db, before: Date): Promise<void> {
  await db`delete from reset_token where expires_at < ${before}`;
}
