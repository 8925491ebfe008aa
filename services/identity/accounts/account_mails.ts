/**
 * The mails that an account gets: a warning when it is locked, and tokens to come back in with.
 * @module
 */
import { sha256Hex } from "../../../shared/service/digest.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { LockoutPolicy } from "../rules.ts";
import {
  claimMail,
  findLogin,
  insertResetToken,
  type LoginKey,
  type LoginRow,
  type MailKind,
  releaseMail,
  type ResetPurpose,
} from "../store/account.ts";
import type { Mail, SendMail } from "./mail.ts";

const RESET_TOKEN_MINUTES = 60;
const MINUTES_BETWEEN_MAILS = 60;

export interface AccountMailsOptions {
  db: Db;
  now: () => Date;
  sendMail: SendMail;
  /** Names this server. */
  serverName: string;
  lockout: LockoutPolicy;
}

export interface AccountMails {
  /** Tells that the account is locked; to nobody without an address. */
  warnOfFailures(user: LoginRow): Promise<void>;
  /** Sends a token that works once, to an address that may recover the account. */
  sendResetToken(key: LoginKey, purpose: ResetPurpose): Promise<void>;
}

export function createAccountMails(
  { db, now, sendMail, serverName, lockout }: AccountMailsOptions,
): AccountMails {
  /** Sends one mail of a kind, unless there was one within the hour. */
  async function mailOnce(user: LoginRow, kind: MailKind, write: () => Promise<Mail>) {
    if (!await claimMail(db, user.id, kind, now(), MINUTES_BETWEEN_MAILS)) return;
    try {
      await sendMail(await write());
    } catch (error) {
      await releaseMail(db, user.id, kind);
      throw error;
    }
  }

  async function newResetToken(user_id: number, purpose: ResetPurpose): Promise<string> {
    const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    const expires_at = new Date(now().getTime() + RESET_TOKEN_MINUTES * 60_000);
    await insertResetToken(db, { sha256: await sha256Hex(token), user_id, purpose, expires_at });
    return token;
  }

  return {
    async warnOfFailures(user) {
      const { email, username } = user;
      if (email === null) return;
      const mail = {
        to: email,
        subject: `${serverName}: your account is locked for a while`,
        text: `Somebody tried to log in as ${username} with a wrong password ` +
          `${lockout.maxFailedAttempts} times or more. The account is locked for ` +
          `${lockout.inactivationMinutes} minutes.\n\n` +
          `If it was not you, tell the administrator of your organization.\n`,
      };
      await mailOnce(user, "failed_login", () => Promise.resolve(mail));
    },

    async sendResetToken(key, purpose) {
      const { login } = await findLogin(db, key);
      if (!login?.email || !login.recoverable) return;
      const { id, email, username } = login;
      const what = purpose === "password" ? "password" : "second factor";
      const kind = purpose === "password" ? "recover_password" : "recover_two_factor";
      await mailOnce(login, kind, async () => ({
        to: email,
        subject: `${serverName}: reset your ${what}`,
        text: `This token lets you set a new ${what} for the user ${username}, once, within ` +
          `${RESET_TOKEN_MINUTES} minutes:\n\n${await newResetToken(id, purpose)}\n\n` +
          `If you did not ask for it, do nothing.\n`,
      }));
    },
  };
}
