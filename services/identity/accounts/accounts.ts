/**
 * How a user proves who they are: password, lock, second factor; and how they come back in when
 * they cannot. Every route that takes a password goes through {@linkcode Accounts.checkPassword}.
 * @module
 */
import { auditObject, recordDone } from "../../../shared/storage/audit.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { SecondFactorSetup } from "../../../shared/contract/password.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Background } from "./background.ts";
import { createAccountMails } from "./account_mails.ts";
import type { SendMail } from "./mail.ts";
import { hashPassword, needsUpgrade, verifyPassword } from "./passwords.ts";
import { DEFAULT_LOCKOUT, type LockoutPolicy } from "../rules.ts";
import {
  accountIsOpen,
  findLogin,
  lockProof,
  type LoginKey,
  type LoginRow,
  recordFailure,
  recordSuccess,
  type ResetPurpose,
  setFirstOtpSecret,
  upgradePasswordHash,
  useOtpStep,
} from "../store/account.ts";
import { openOtpSecret, sealOtpSecret } from "../secrets/stored.ts";
import type { Vault } from "../secrets/vault.ts";
import { newOtpSecret, qrUri, stepOfCode } from "./two_factor.ts";

/** How often the same code of a second factor is taken from one address. */
const USES_OF_A_CODE = 5;

export interface AccountsOptions {
  db: Db;
  vault: Vault;
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
  /** Whether everybody needs a second factor. */
  asksForCodes: boolean;
  /** The user if the password is right and the account open; else the failure is counted. */
  checkPassword(key: LoginKey, password: string): Promise<LoginRow | undefined>;
  /**
   * Asks for the code after the password; throws 401 for a wrong one, which counts as a failure
   * too. The same code is taken a few times within its half minute, from the same address: several
   * scripts that start together have one between them, and v6 takes it as often as it comes. Who
   * has read it over somebody's shoulder, or caught it on its way, comes from elsewhere.
   */
  secondFactor(
    user: LoginRow,
    code: string | undefined,
    address: string | undefined,
  ): Promise<SecondFactor>;
  /**
   * Notes that the code of a step was used from an address, as of a log-in. Throws 401 when it may
   * not be.
   */
  useCode(
    tx: Tx,
    userId: number,
    code: { step: number; address: string | undefined },
  ): Promise<void>;
  /**
   * Forgets failures after a complete proof. Throws 401 when the account was locked meanwhile, or
   * what was proved was changed; until the transaction ends it cannot be.
   */
  letIn(tx: Tx, user: LoginRow): Promise<void>;
  /**
   * Throws 401 when what was proved was changed meanwhile, by a recovery for one; until the
   * transaction ends it cannot be.
   */
  demandStillProven(tx: Tx, user: LoginRow): Promise<void>;
  enrolment(username: string, secret: string): SecondFactorSetup;
  /**
   * Sends a token of this purpose, after the answer: nobody can tell from it whether there is such
   * a user.
   */
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
  vault,
  now,
  background,
  sendMail,
  twoFactor,
  serverName,
  lockout = DEFAULT_LOCKOUT,
}: AccountsOptions): Accounts {
  const mails = sendMail && createAccountMails({ db, now, sendMail, serverName, lockout });

  async function fail(user: LoginRow | undefined): Promise<void> {
    const locked = await recordFailure(db, user?.id, now(), lockout);
    if (!user || !locked || !mails) return;
    background.run("warn a user of failed log-ins", () => mails.warnOfFailures(user));
  }

  return {
    mailWorks: sendMail !== undefined,
    asksForCodes: twoFactor,

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
        // Another log-in has done so, or the password was changed: the hash that is there now
        // decides.
        if (!upgraded) return await this.checkPassword(key, password);
        return { ...login, password_hash: to };
      }
      return login;
    },

    async secondFactor(user, code, address) {
      if (!twoFactor) return "passed";
      if (user.otp_secret === null) {
        const secret = newOtpSecret();
        if (await setFirstOtpSecret(db, user, sealOtpSecret(vault, user.id, secret))) {
          await recordDone(db, "user.second_factor", { noun: "user", id: user.id });
          return this.enrolment(user.username, secret);
        }
      }
      if (code === undefined || user.otp_secret === null) {
        return { msg: "Send the code of your authenticator app along as mfa_code." };
      }
      const step = stepOfCode(openOtpSecret(vault, user.id, user.otp_secret), code, now());
      if (step === undefined) {
        await fail(user);
        throw new SextantError("unauthenticated", "The code is wrong, or its time is over.");
      }
      await this.useCode(db, user.id, { step, address });
      return "passed";
    },

    async useCode(tx, userId, { step, address }) {
      const use = { step, network: address ?? "", most: USES_OF_A_CODE };
      if (await useOtpStep(tx, userId, use)) return;
      throw new SextantError(
        "unauthenticated",
        `This code was used already, from another address or ${USES_OF_A_CODE} times. Wait for ` +
          "the next one (half a minute at most), and log in with that.",
      );
    },

    async letIn(tx, user) {
      if (!await recordSuccess(tx, user, now(), lockout)) throw logInRefused();
    },

    async demandStillProven(tx, user) {
      if (!await lockProof(tx, user)) throw logInRefused();
    },

    enrolment: (username, secret) => ({
      qr_uri: qrUri({ issuer: `vantage6 (${serverName})`, username, secret }),
      otp_secret: secret,
      msg: "Add this secret to your authenticator app, then log in with its code.",
    }),

    sendResetToken(key, purpose) {
      if (!mails) return;
      background.run("send a recovery mail", () => mails.sendResetToken(key, purpose));
    },
  };
}
