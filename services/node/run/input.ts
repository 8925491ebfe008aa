/**
 * The input of a run: fetched where it did not fit into a message, checked against what the hub
 * signed, decrypted, read, and shown to the owner's rules. A large one stays in a file: the agent
 * hands it on and does not read it.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import { openPieces } from "../encryption/opening.ts";
import type { OpenedInput, Payloads, RunPlace } from "../encryption/payloads.ts";
import type { Origin } from "../encryption/sealed.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import { createPatience, type Patience, PATIENCE_MS, spanOf } from "../hub/patience.ts";
import { parsePythonJson } from "../../../shared/payload/python_json.ts";
import { type ContentFile, type Pieces, readPieces, writePieces } from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { type Call, callSchema } from "./call.ts";
import { CannotStart } from "./cannot_start.ts";

/** An input up to this many bytes is read by the agent. */
export const MAX_READ_BYTES = 8 * 2 ** 20;
/** The longest answer with an input in it: what the hub takes in one request, and a little more. */
const MAX_ANSWER_BYTES = 72 * 2 ** 20;
/** Answers that may be fetched at once: each takes some 200 MiB. */
const ANSWERS_AT_ONCE = 2;

/**
 * Python's JSON as UTF-8: the very bytes, what they say, and whether that is JSON in the strict
 * sense; or, when it is too large to be read, the file that it lies in.
 */
export type Input =
  & (
    | { content: Uint8Array; call: Call; isJson: boolean; isExact: boolean }
    | { content: ContentFile; call: null }
  )
  & {
    /** How it was encrypted; `null` where nothing is. */
    origin: Origin | null;
  };

export interface Inputs {
  /**
   * `text` is what came with the answer to the start; `null` when it was too long for that. Rejects
   * with a {@linkcode CannotStart} for an input that is not to be run.
   */
  receive(dispatch: Dispatch, text: string | null, signal: AbortSignal): Promise<Input>;
  /** Removes what there still is of an attempt's input. */
  forget(dispatch: Dispatch): Promise<void>;
}

export type ReceiveInput = Inputs["receive"];

export interface OpenInputsOptions {
  /** The agent's data folder. */
  folder: string;
  hub: Hub;
  /** Whether the hub is there, by the broker. */
  isThere: () => boolean;
  payloads: Payloads;
  /**
   * Rejects with a {@linkcode CannotStart} what the owner does not allow; `null` is a call that was
   * not read.
   */
  gate: (dispatch: Dispatch, call: Call | null, signal: AbortSignal) => Promise<void>;
  patienceMs?: number;
}

/**
 * What an earlier agent left of inputs goes: an attempt that has not begun fetches its input anew.
 */
export async function openInputs(
  { folder: dataFolder, hub, isThere, payloads, gate, patienceMs = PATIENCE_MS }: OpenInputsOptions,
): Promise<Inputs> {
  const folder = join(dataFolder, "inputs");
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { mode: 0o700 });
  const filed = new Set<string>();
  const inTurn = createTurns(ANSWERS_AT_ONCE);

  /** An input that cannot be had, though the hub is there, ends its run. */
  async function fetchInput(dispatch: Dispatch, signal: AbortSignal): Promise<Input> {
    const patience = createPatience({ isThere, patienceMs });
    try {
      return await tryToFetch(dispatch, { patience, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof HubError && error.retryable)) throw error;
      throw new CannotStart(
        `The input could not be fetched for ${spanOf(patienceMs)}, in which the hub took all ` +
          "reports; the node's own log says why.",
      );
    }
  }

  async function tryToFetch(
    dispatch: Dispatch,
    { patience, signal }: { patience: Patience; signal: AbortSignal },
  ): Promise<Input> {
    const giveUp = patience.isOver;
    const { result_id } = dispatch;
    const schema = z.object({ input: z.string(), blob_storage_used: z.boolean().default(false) });
    const options = { signal, giveUp, timeoutMs: 600_000, maxBytes: MAX_ANSWER_BYTES };
    const key = attemptKey(dispatch);
    const answer = await inTurn(async () => {
      signal.throwIfAborted();
      // The time in line was not the hub's.
      patience.renew();
      const { input, blob_storage_used } = await hub.insist(`/run/${result_id}`, schema, options);
      if (blob_storage_used) return { blobId: input };
      if (input.length <= MAX_READ_BYTES) return await readInput(input, { dispatch, payloads });
      filed.add(key);
      return await fileInput(input, join(folder, key), { dispatch, payloads });
    });
    if (!("blobId" in answer)) return answer;
    filed.add(key);
    const stored = await writePieces(
      join(folder, `${key}.stored`),
      renewing(patience, hub.download(answer.blobId, { signal, giveUp })),
    );
    if (stored.size > MAX_READ_BYTES) {
      return await openInput(stored, join(folder, key), { dispatch, payloads });
    }
    return await readInput(await Deno.readFile(stored.path), { dispatch, payloads });
  }

  return {
    async receive(dispatch, text, signal) {
      const input = text === null
        ? await fetchInput(dispatch, signal)
        : await readInput(text, { dispatch, payloads });
      await gate(dispatch, input.call, signal);
      return input;
    },
    async forget(dispatch) {
      const key = attemptKey(dispatch);
      if (!filed.delete(key)) return;
      for (const name of [key, `${key}.stored`]) {
        await Deno.remove(join(folder, name)).catch(() => {});
      }
    },
  };
}

/** The same pieces; each that comes shows that something moves. */
async function* renewing(
  patience: Patience,
  pieces: Pieces,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) {
    patience.renew();
    yield piece;
  }
}

interface Reading {
  dispatch: Pick<Dispatch, "input_sha256"> & RunPlace;
  payloads: Pick<Payloads, "openInput" | "inputOpener" | "encrypted">;
}

/** Reads an input as the hub keeps it: a text, or the bytes of a blob. */
export async function readInput(
  stored: string | Uint8Array<ArrayBuffer>,
  { dispatch, payloads }: Reading,
): Promise<Input> {
  checkDigest(await sha256Hex(stored), dispatch);
  let opened: OpenedInput;
  let decoded: ReturnType<typeof parsePythonJson>;
  try {
    opened = await payloads.openInput(stored, dispatch);
    decoded = parsePythonJson(new TextDecoder("utf-8", { fatal: true }).decode(opened.content));
  } catch (error) {
    throw unreadable(payloads, error);
  }
  const call = callSchema.safeParse(decoded.value);
  const { isJson, isExact } = decoded;
  const { origin } = opened;
  if (call.success) {
    return { content: new Uint8Array(opened.content), call: call.data, isJson, isExact, origin };
  }
  throw new CannotStart(
    `The input must be an object with method, args and kwargs: ${z.prettifyError(call.error)}`,
  );
}

/** Decrypts a text that is too large to be read into the new file `path`. */
export async function fileInput(
  stored: string,
  path: string,
  { dispatch, payloads }: Reading,
): Promise<Input> {
  checkDigest(await sha256Hex(stored), dispatch);
  let opened: OpenedInput;
  try {
    opened = await payloads.openInput(stored, dispatch);
  } catch (error) {
    throw unreadable(payloads, error);
  }
  const content = await writePieces(path, [new Uint8Array(opened.content)]);
  return { content, call: null, origin: opened.origin };
}

/**
 * Decrypts an input that is too large to be read into the new file `path`; nobody sees it before it
 * is whole.
 */
export async function openInput(
  stored: ContentFile,
  path: string,
  { dispatch, payloads }: Reading,
): Promise<Input> {
  checkDigest(stored.sha256, dispatch);
  try {
    const opener = payloads.inputOpener(dispatch);
    const content = await writePieces(path, openPieces(readPieces(stored.path), opener));
    await Deno.remove(stored.path);
    return { content, call: null, origin: opener.origin ?? null };
  } catch (error) {
    throw error instanceof UnreadableError ? unreadable(payloads, error) : error;
  }
}

function checkDigest(sha256: string, { input_sha256 }: Reading["dispatch"]): void {
  if (sha256 === input_sha256) return;
  throw new CannotStart("The input that came from the hub is not the one that it signed.");
}

function unreadable({ encrypted }: Pick<Payloads, "encrypted">, error: unknown): CannotStart {
  if (error instanceof RefusedPayloadError) {
    return new CannotStart(`The input is refused: ${error.message}.`);
  }
  return new CannotStart(
    encrypted
      ? "The input cannot be read: it was damaged, or encrypted for another key than this node has."
      : "The input cannot be read: it must be JSON in base64.",
  );
}
