/**
 * How a user proves who they are: password, lock, second factor; and how they come back in when they cannot.
 * Every route that takes a password goes through {@linkcode Accounts.checkPassword}.
 * @module
 */
import { auditObject, recordDone } from "../../../shared/storage/audit.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import type { SecondFactorSetup } from "../../../shared/contract/password.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Background } from "./background.ts";
import type { Mail, SendMail } from "./mail.ts";
import { hashPassword, needsUpgrade, verifyPassword } from "./passwords.ts";
import { DEFAULT_LOCKOUT, type LockoutPolicy } from "../rules.ts";
import {
  accountIsOpen,
  claimMail,
  findLogin,
  insertResetToken,
  type LoginKey,
  type LoginRow,
  type MailKind,
  recordFailure,
  recordSuccess,
  releaseMail,
  type ResetPurpose,
  setFirstOtpSecret,
  upgradePasswordHash,
  useOtpStep,
} from "../store/account.ts";
import { newOtpSecret, qrUri, stepOfCode } from "./two_factor.ts";

export const RESET_TOKEN_MINUTES = 60;
const MINUTES_BETWEEN_MAILS = 60;

export interface AccountsOptions {
  db: Db;
  now: () => Date;
  background: Background;
  /** Absent when no mail server is configured. */
  sendMail: SendMail | undefined;
  /** Whether every user needs a second factor. */
  twoFactor: boolean;
  /** Names this server in mails and authenticator apps. */
  serverName: string;
  lockout?: LockoutPolicy;
}

export type SecondFactor = "passed" | { msg: string } | SecondFactorSetup;

export interface Accounts {
  mailWorks: boolean;
  /** The user if the password is right and the account open; else the failure is counted. */
  checkPassword(key: LoginKey, password: string): Promise<LoginRow | undefined>;
  /** Asks for the code after the password; throws 401 for a wrong one, which counts as a failure too. */
  secondFactor(user: LoginRow, code: string | undefined): Promise<SecondFactor>;
  /**
   * Forgets failures after a complete proof. Throws 401 when the account was locked meanwhile, or what was proved was changed;
   * until the transaction ends it cannot be.
   */
  letIn(tx: Tx, user: LoginRow): Promise<void>;
  enrolment(username: string, secret: string): SecondFactorSetup;
  /** Sends a token of this purpose, after the answer: nobody can tell from it whether there is such a user. */
  sendResetToken(key: LoginKey, purpose: ResetPurpose): void;
}

/** One sentence for an unknown name, a wrong password and a locked account: nobody learns which. */
export function logInRefused(): SextantError {
  return new SextantError(
    "unauthenticated",
    "The user name or the password is wrong, or the account is locked for a while.",
  );
}

export function createAccounts({
  db,
  now,
  background,
  sendMail,
  twoFactor,
  serverName,
  lockout = DEFAULT_LOCKOUT,
}: AccountsOptions): Accounts {
  async function fail(user: LoginRow | undefined): Promise<void> {
    const locked = await recordFailure(db, user?.id, now(), lockout);
    if (user && locked) warn(user);
  }

  /** Sends one mail of a kind, unless there was one within the hour. */
  async function mailOnce(user: LoginRow, kind: MailKind, write: () => Promise<Mail>) {
    if (!sendMail || !await claimMail(db, user.id, kind, now(), MINUTES_BETWEEN_MAILS)) return;
    try {
      await sendMail(await write());
    } catch (error) {
      await releaseMail(db, user.id, kind);
      throw error;
    }
  }

  function warn(user: LoginRow): void {
    const { email } = user;
    if (email === null) return;
    background.run(
      "warn a user of failed log-ins",
      () =>
        mailOnce(user, "failed_login", () =>
          Promise.resolve({
            to: email,
            subject: `${serverName}: your account is locked for a while`,
            text: `Somebody tried to log in as ${user.username} with a wrong password ` +
              `${lockout.maxFailedAttempts} times or more. The account is locked for ` +
              `${lockout.inactivationMinutes} minutes.\n\n` +
              `If it was not you, tell the administrator of your organization.\n`,
          })),
    );
  }

  async function sendToken(key: LoginKey, purpose: ResetPurpose): Promise<void> {
    const { login } = await findLogin(db, key);
    if (!login?.email || !login.recoverable) return;
    const { id, email, username } = login;
    const what = purpose === "password" ? "password" : "second factor";
    const kind = purpose === "password" ? "recover_password" : "recover_two_factor";
    await mailOnce(login, kind, async () => {
      const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({
        alphabet: "base64url",
        omitPadding: true,
      });
      await insertResetToken(db, {
        sha256: await sha256Hex(token),
        user_id: id,
        purpose,
        expires_at: new Date(now().getTime() + RESET_TOKEN_MINUTES * 60_000),
      });
      return {
        to: email,
        subject: `${serverName}: reset your ${what}`,
        text: `This token lets you set a new ${what} for the user ${username}, once, within ` +
          `${RESET_TOKEN_MINUTES} minutes:\n\n${token}\n\n` +
          `If you did not ask for it, do nothing.\n`,
      };
    });
  }

  return {
    mailWorks: sendMail !== undefined,

    async checkPassword(key, password) {
      const { login, bcryptInUse } = await findLogin(db, key);
      if (login) auditObject("user", login.id);
      const fits = await verifyPassword(login?.password_hash, password, { bcryptInUse });
      if (!login || !fits || !await accountIsOpen(db, login.id, now(), lockout)) {
        await fail(login);
        return undefined;
      }
      if (needsUpgrade(login.password_hash)) {
        const to = await hashPassword(password);
        const upgraded = await upgradePasswordHash(db, login.id, { from: login.password_hash, to });
        // Another log-in has done so, or the password was changed: the hash that is there now decides.
        if (!upgraded) return await this.checkPassword(key, password);
        return { ...login, password_hash: to };
      }
      return login;
    },

    async secondFactor(user, code) {
      if (!twoFactor) return "passed";
      if (user.otp_secret === null) {
        const secret = newOtpSecret();
        if (await setFirstOtpSecret(db, user.id, secret)) {
          await recordDone(db, "user.second_factor", { noun: "user", id: user.id });
          return this.enrolment(user.username, secret);
        }
      }
      if (code === undefined || user.otp_secret === null) {
        return { msg: "Send the code of your authenticator app along as mfa_code." };
      }
      const step = stepOfCode(user.otp_secret, code, now());
      if (step === undefined || !await useOtpStep(db, user.id, step)) {
        await fail(user);
        throw new SextantError("unauthenticated", "The code is wrong, or it was used already.");
      }
      return "passed";
    },

    async letIn(tx, user) {
      if (!await recordSuccess(tx, user, now(), lockout)) throw logInRefused();
    },

    enrolment: (username, secret) => ({
      qr_uri: qrUri({ issuer: `vantage6 (${serverName})`, username, secret }),
      otp_secret: secret,
      msg: "Add this secret to your authenticator app, then log in with its code.",
    }),

    sendResetToken(key, purpose) {
      if (!sendMail) return;
      background.run("send a recovery mail", () => sendToken(key, purpose));
    },
  };
}
