/**
 * The page's side of the worker that opens results. The key stays in that worker's memory, for this
 * tab, until it is forgotten or somebody logs out: then the worker ends, and everything in it.
 * @module
 */
import { signal } from "@preact/signals";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import type { SigningKey } from "../../client/keys/organization_key.ts";
import type { PayloadChecks } from "../../client/tasks/results.ts";
import { client, whileLoggedIn } from "../session/session.ts";
import type { HeldKey, Opened, PageCalls, StoredPayload, WorkerCalls } from "./worker/calls.ts";
import { connect, type Port, type Remote } from "./worker/port.ts";

/** A private key in PEM has some 3 KB. */
const LARGEST_KEY_FILE = 65_536;

/** Which key is held; `undefined` when none is. */
export const heldKey = signal<HeldKey | undefined>(undefined);

interface Opener {
  worker: Worker;
  remote: Remote<WorkerCalls>;
}

let opener: Opener | undefined;
/** What payloads of the shares that are open are held against. */
const checks = new Map<number, PayloadChecks>();

whileLoggedIn((signal) => signal.addEventListener("abort", forgetKey));

/** Ends the worker, with the key and the results in its memory. */
export function forgetKey(): void {
  opener?.worker.terminate();
  opener?.remote.end(new Error("The results were closed."));
  opener = undefined;
  checks.clear();
  heldKey.value = undefined;
}

/** The worker's calls; it begins with the first of them. */
export function results(): Remote<WorkerCalls> {
  opener ??= begin();
  return opener.remote;
}

function begin(): Opener {
  const address = document.documentElement.dataset.workerResults!;
  const worker = new Worker(new URL(address, document.baseURI), { type: "module" });
  const own: PageCalls = {
    async signer({ id, of, label }) {
      const found = checks.get(id);
      if (!found) throw new Error("This result is not open any more.");
      return await (of === "result" ? found.ofResult(label) : found.ofInput(label));
    },
  };
  return { worker, remote: connect<WorkerCalls>(worker as Port, own) };
}

/** Takes a key from a file. Rejects with a sentence that says what is wrong with it. */
export async function takeKey(file: File, tooLarge: string): Promise<void> {
  if (file.size > LARGEST_KEY_FILE) throw new Error(tooLarge);
  heldKey.value = undefined;
  heldKey.value = await results().call("useKey", file);
}

/** The key that is held, to sign with: in the worker, where it is. */
export function signingKey(): SigningKey | undefined {
  return heldKey.value && { ...heldKey.value, sign: (bytes) => results().call("sign", bytes) };
}

export interface OpenShare {
  task: Task;
  run: RunWithTask;
  encrypted: boolean;
  description: ToldDescription | undefined;
  /** As which method's it is to be read, where a person says so. */
  method: string | undefined;
  signal: AbortSignal;
}

/** Opens an organization's result; `undefined` where there is none. */
export async function openShare(
  { task, run, encrypted, description, method, signal }: OpenShare,
): Promise<Opened | undefined> {
  const result = await client.storedResults.get(run.id, { signal });
  if (!result.result) return undefined;
  const stored = await fetched(result.result, result.blob_storage_used, signal);
  const found = client.results.checksOf(task, run);
  checks.set(run.id, found);
  return await results().call("open", {
    id: run.id,
    result: stored,
    encrypted,
    signedOnly: found.signedOnly,
    description,
    input: description && await inputOf({ task, run, encrypted, signal }),
    method,
  });
}

/** Lets go of a result that nobody looks at any more. */
export function closeShare(runId: number): void {
  checks.delete(runId);
  // Without a worker there is nothing to forget.
  opener?.remote.call("close", runId).catch(() => {});
}

/** What was asked: everybody's can be read where nothing is encrypted, else that of one's own. */
async function inputOf(
  { task, run, encrypted, signal }: Pick<OpenShare, "task" | "run" | "encrypted" | "signal">,
): Promise<StoredPayload | undefined> {
  if (encrypted && run.organization.id !== task.init_org.id) return undefined;
  const { input } = await client.runs.get(run.id, { signal });
  if (input === null || isBlobId(input)) return undefined;
  return { in: "text", text: input };
}

async function fetched(
  text: string,
  inBlob: boolean,
  signal: AbortSignal,
): Promise<StoredPayload> {
  if (!inBlob && !isBlobId(text)) return { in: "text", text };
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of client.blobs.download(text, { signal })) pieces.push(piece);
  return { in: "blob", blob: new Blob(pieces) };
}
