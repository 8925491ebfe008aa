/**
 * Asking the hub to prove that one checkpoint's tree is the beginning of another's.
 * @module
 */
import { z } from "zod";
import { type Checkpoint } from "../../../shared/transparency/checkpoint.ts";
import { isConsistent } from "../../../shared/transparency/merkle.ts";
import { HubError } from "../hub/error.ts";
import type { Hub } from "../hub/hub.ts";

const answerSchema = z.object({ proof: z.array(z.string().max(64)).max(128) });

/**
 * Whether it is proven; one that the hub refuses to prove is not. Rejects while the hub cannot be
 * asked.
 */
export async function isProven(
  hub: Pick<Hub, "request">,
  first: Checkpoint,
  second: Checkpoint,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `/audit/consistency?service=${first.service}&from=${first.size}&to=${second.size}`;
  try {
    const { proof } = await hub.request(path, answerSchema, { signal });
    return isConsistent(first, second, proof.map((hash) => Uint8Array.fromBase64(hash)));
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    if (!(error instanceof HubError) || error.retryable || error.status === 401) throw error;
    return false;
  }
}
