/**
 * Passwords and second factors (contract §2.8, §2.10): what changes and recovers them.
 * @module
 */
import { z } from "zod";
import { nullAsAbsent, text } from "./fields.ts";

/** A user name or password as somebody typed it, who may be wrong. */
export const credential = text.pipe(z.string().min(1).max(128));

/** What a new password lacks; empty when it will do. */
export function passwordProblems(password: string): string[] {
  const problems: string[] = [];
  if (password.length < 8) problems.push("must have at least 8 characters");
  if (password.length > 128) problems.push("must have at most 128 characters");
  if (!/[0-9]/.test(password)) problems.push("must contain a digit");
  if (!/[A-Z]/.test(password)) problems.push("must contain an upper-case letter");
  if (!/[a-z]/.test(password)) problems.push("must contain a lower-case letter");
  if (!/[^A-Za-z0-9]/.test(password)) problems.push("must contain a special character");
  return problems;
}

/** A new password under the policy; every shortcoming is named. */
export const newPassword = text.superRefine((value, context) => {
  for (const message of passwordProblems(value)) context.addIssue({ code: "custom", message });
});

export const passwordChange = z.object({
  current_password: credential,
  new_password: newPassword,
});

const who = {
  username: nullAsAbsent(credential),
  email: nullAsAbsent(text.pipe(z.string().max(254))),
};

function namesSomebody(given: { username?: unknown; email?: unknown }): boolean {
  return given.username !== undefined || given.email !== undefined;
}

const NAMES_NOBODY = "give the username or the email";

export const lostPassword = z.object(who).refine(namesSomebody, NAMES_NOBODY);
export const lostSecondFactor = z.object({ ...who, password: credential })
  .refine(namesSomebody, NAMES_NOBODY);

const resetToken = text.pipe(z.string().min(1).max(1024));

export const passwordReset = z.object({ reset_token: resetToken, password: newPassword });
export const secondFactorReset = z.object({ reset_token: resetToken });

/** Of an authenticator app; as a number, too, with its leading zeros lost. */
export const secondFactorCode = z.union([
  z.string().max(10),
  z.number().int().min(0).max(999_999).transform(String),
]);

/** Of who is logged in. */
export const ownSecondFactor = z.object({
  /** Whether this hub asks for one. */
  required: z.boolean(),
  is_set: z.boolean(),
}).meta({ id: "OwnSecondFactor" });
export type OwnSecondFactor = z.infer<typeof ownSecondFactor>;

/** What proves once more who one is, for a new second factor. */
export const secondFactorChange = z.object({
  current_password: credential,
  /** Of the present one, where there is one. */
  mfa_code: nullAsAbsent(secondFactorCode),
});

export const secondFactorConfirmation = z.object({
  ticket: text.pipe(z.string().min(1).max(2048)),
  /** Of the new one: it shows that an app has it. */
  mfa_code: secondFactorCode,
});

/** A new second factor, shown this once. */
export const secondFactor = z.object({
  /** `otpauth://…`, for the QR code that an authenticator app reads. */
  qr_uri: z.string(),
  otp_secret: z.string(),
  msg: z.string(),
}).meta({ id: "SecondFactor" });
export type SecondFactorSetup = z.infer<typeof secondFactor>;

/** A new second factor that is in force once a code of it was sent back along with the ticket. */
export const offeredSecondFactor = secondFactor.extend({ ticket: z.string() })
  .meta({ id: "OfferedSecondFactor" });
export type OfferedSecondFactor = z.infer<typeof offeredSecondFactor>;
