/**
 * The input of a run: fetched where it did not fit into a message, checked against what the hub signed, decrypted,
 * read, and shown to the owner's rules.
 * @module
 */
import { z } from "zod";
import { sha256Hex } from "../../shared/digest.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Payloads } from "./encryption/payloads.ts";
import type { Hub } from "./hub.ts";
import { CannotStart } from "./run.ts";

const callSchema = z.object({
  method: z.string().min(1),
  args: z.array(z.unknown()).default([]),
  kwargs: z.record(z.string(), z.unknown()).default({}),
});
/** What the algorithm is called with. */
export type Call = z.infer<typeof callSchema>;

export interface Input {
  /** The very bytes: JSON as UTF-8. */
  content: Uint8Array<ArrayBuffer>;
  call: Call;
}

/** `text` is what came with the answer to the start; `null` when it was too long for that. */
export type ReceiveInput = (
  dispatch: Dispatch,
  text: string | null,
  signal: AbortSignal,
) => Promise<Input>;

export interface ReceiveInputOptions {
  hub: Hub;
  payloads: Payloads;
  /** Rejects with a {@linkcode CannotStart} what the owner does not allow. */
  gate: (dispatch: Dispatch, call: Call, signal: AbortSignal) => Promise<void>;
}

/** The function returned rejects with {@linkcode CannotStart} for an input that is not to be run. */
export function receiveInputs({ hub, payloads, gate }: ReceiveInputOptions): ReceiveInput {
  return async function receiveInput(dispatch, text, signal) {
    const input = await readInput(text ?? await fetchInput(hub, dispatch, signal), {
      dispatch,
      payloads,
    });
    await gate(dispatch, input.call, signal);
    return input;
  };
}

async function fetchInput(
  hub: Hub,
  { result_id }: Dispatch,
  signal: AbortSignal,
): Promise<string | Uint8Array<ArrayBuffer>> {
  const schema = z.object({ input: z.string(), blob_storage_used: z.boolean().default(false) });
  const options = { signal, timeoutMs: 600_000 };
  const { input, blob_storage_used } = await hub.insist(`/run/${result_id}`, schema, options);
  return blob_storage_used ? await hub.download(input, options) : input;
}

/** Reads an input as the hub keeps it: a text, or the bytes of a blob. */
export async function readInput(
  stored: string | Uint8Array<ArrayBuffer>,
  { dispatch, payloads }: {
    dispatch: Pick<Dispatch, "input_sha256">;
    payloads: Pick<Payloads, "open" | "encrypted">;
  },
): Promise<Input> {
  if (await sha256Hex(stored) !== dispatch.input_sha256) {
    throw new CannotStart("The input that came from the hub is not the one that it signed.");
  }
  let content: Uint8Array<ArrayBuffer>;
  let decoded: unknown;
  try {
    content = new Uint8Array(payloads.open(stored));
    decoded = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw new CannotStart(
      payloads.encrypted
        ? "The input cannot be read: it was damaged, or encrypted for another key than this node has."
        : "The input cannot be read: it must be JSON in base64.",
    );
  }
  const call = callSchema.safeParse(decoded);
  if (call.success) return { content, call: call.data };
  throw new CannotStart(
    `The input must be an object with method, args and kwargs: ${z.prettifyError(call.error)}`,
  );
}
