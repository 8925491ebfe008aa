/**
 * A new second factor for who is logged in: shown to whoever proves once more who they are, and in
 * force only when a code of it has come back. Nothing is stored in between: what was shown goes
 * along as a sealed ticket, for this log-in alone, and it opens nothing any more once the password
 * or the second factor is another one. So it is also good once.
 * @module
 */
import { SextantError } from "../../../../shared/service/errors.ts";
import { sha256Hex } from "../../../../shared/service/digest.ts";
import type { Accounts } from "../../accounts/accounts.ts";
import type { OfferedTo } from "../../secrets/stored.ts";
import type { LoginRow } from "../../store/account.ts";

export const OFFER_MINUTES = 10;

export async function offeredTo(
  { id: userId, password_hash, otp_secret }: LoginRow,
  sessionId: string,
): Promise<OfferedTo> {
  const proof = await sha256Hex(JSON.stringify([password_hash, otp_secret]));
  return { userId, sessionId, proof };
}

/** Throws where second factors would be asked for by nobody. */
export function requireCodes({ asksForCodes }: Accounts): void {
  if (asksForCodes) return;
  throw new SextantError("invalid_request", "This hub asks nobody for a second factor.");
}
