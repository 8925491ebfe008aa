import { sha256Hex } from "../../../../shared/service/digest.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Tx } from "../../../../shared/storage/db.ts";
import { type ResetPurpose, useResetToken } from "../../store/account.ts";

/**
 * Uses a reset token up, and returns whose it is. An expired one goes too, so it is told after the
 * transaction: an error would bring it back. Throws 400 for one that is wrong.
 */
export async function spendResetToken(
  tx: Tx,
  { token, purpose, at }: { token: string; purpose: ResetPurpose; at: Date },
): Promise<number | "expired"> {
  const userId = await useResetToken(tx, { sha256: await sha256Hex(token), purpose, at });
  if (userId !== undefined) return userId;
  throw new SextantError(
    "invalid_request",
    "The reset token is wrong, or it was used already. Ask for a new one.",
  );
}

export function expired(code: "unauthenticated" | "invalid_request"): SextantError {
  return new SextantError(code, "The reset token has expired. Ask for a new one.");
}
