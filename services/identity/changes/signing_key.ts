/**
 * The end of keys that sign tokens.
 * @module
 */
import type { Change } from "../../../shared/storage/outbox.ts";

/**
 * Withdraws all keys that sign tokens, so that every log-in ends: of users, nodes and containers.
 * identity makes a new key when it hears of it. Returns their names.
 */
export async function withdrawSigningKeys(
  { tx, emit }: Pick<Change, "tx" | "emit">,
): Promise<string[]> {
  const gone = await tx<{ kid: string }[]>`delete from signing_key returning kid`;
  for (const { kid } of gone) emit("signing_key.withdrawn", { kid });
  return gone.map(({ kid }) => kid);
}
