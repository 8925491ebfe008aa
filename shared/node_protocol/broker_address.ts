/**
 * Where the broker is, as the hub's own key says it: a node that remembers that key follows the hub
 * to another address without its owner, and nobody who merely answers in the hub's place can move
 * it.
 * @module
 */
import { z } from "zod";
import { sign, verify } from "../broker/signing.ts";

/** Stands where a message has its subject; nothing is sent on it. */
const SUBJECT = "broker.address";
/** Clocks may differ by so much. An older word may be one that somebody has kept. */
const GREATEST_AGE_MS = 86_400_000;

const addressSchema = z.object({ nats_url: z.string(), at: z.iso.datetime() });

/** The text that was signed, and the signature. */
export const signedAddressSchema = z.object({
  text: z.string().max(4096),
  signature: z.string().max(128),
});
export type SignedAddress = z.infer<typeof signedAddressSchema>;

/** Signs with the seed of the hub's dispatch key. */
export function signAddress(seed: string, nats_url: string, at: Date): SignedAddress {
  const text = JSON.stringify({ nats_url, at: at.toISOString() });
  return { text, signature: sign(seed, SUBJECT, new TextEncoder().encode(text)) };
}

/** The address and when it was signed; `undefined` when none of these keys has, or not lately. */
export function readAddress(
  { text, signature }: SignedAddress,
  keys: readonly string[],
  now: number,
): { nats_url: string; at: string } | undefined {
  const bytes = new TextEncoder().encode(text);
  if (!keys.some((key) => verify(key, SUBJECT, bytes, signature))) return undefined;
  const address = addressSchema.safeParse(JSON.parse(text)).data;
  if (!address || Math.abs(now - Date.parse(address.at)) > GREATEST_AGE_MS) return undefined;
  return address;
}
