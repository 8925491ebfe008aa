/**
 * The second factor: time-based codes as v6's servers make them (contract §2.10).
 * @module
 */
import { Secret, TOTP } from "otpauth";

const PERIOD_SECONDS = 30;
/** Steps before and after the present one whose codes are taken: clocks differ. */
const TOLERANCE = 1;

/** 160 bits, as 32 letters of base32. */
export function newOtpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What an authenticator app reads from the QR code. */
export function qrUri(
  { issuer, username, secret }: { issuer: string; username: string; secret: string },
): string {
  const name = encodeURIComponent(issuer);
  return `otpauth://totp/${name}:${encodeURIComponent(username)}?secret=${secret}&issuer=${name}`;
}

/** The time step whose code this is, or `undefined` for a wrong one. */
export function stepOfCode(secret: string, code: string, now: Date): number | undefined {
  const timestamp = now.getTime();
  const totp = new TOTP({ secret: Secret.fromBase32(secret), digits: 6, period: PERIOD_SECONDS });
  const delta = totp.validate({ token: code.padStart(6, "0"), timestamp, window: TOLERANCE });
  return delta === null ? undefined : Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta;
}
