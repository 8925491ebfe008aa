/**
 * Whether a key is the one that a task's results are encrypted for, by the public keys that the hub
 * has on record.
 * @module
 */
import type { Organization } from "../../../shared/contract/organization.ts";
import { readRsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { fingerprintOf } from "../../client/keys/fingerprint.ts";

export type WhoseKey =
  | { is: "right" }
  /** Of another organization. */
  | { is: "other"; name: string }
  /** Of nobody: perhaps an earlier one of the organization, perhaps a wrong file. */
  | { is: "unknown"; atHub: string | undefined };

/** `reader` is the id of the organization that the results are for. */
export async function whoseKey(
  fingerprint: string,
  reader: number,
  organizations: readonly Pick<Organization, "id" | "name" | "public_key">[],
): Promise<WhoseKey> {
  let atHub: string | undefined;
  let other: string | undefined;
  for (const { id, name, public_key } of organizations) {
    const known = await fingerprintOfRecord(public_key);
    if (id === reader) atHub = known;
    else if (known === fingerprint) other = name;
  }
  if (atHub === fingerprint) return { is: "right" };
  return other === undefined ? { is: "unknown", atHub } : { is: "other", name: other };
}

async function fingerprintOfRecord(text: string | null | undefined): Promise<string | undefined> {
  if (!text) return undefined;
  try {
    return await fingerprintOf(readRsaPublicKey(text).der);
  } catch {
    return undefined;
  }
}
