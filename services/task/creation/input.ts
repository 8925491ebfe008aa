/**
 * What the inputs of a new task must look like.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { NewTask } from "../../../shared/contract/task.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { TaskDeps } from "../deps.ts";
import { beginsEncrypted, beginsPlain, HEAD, looksEncrypted, looksPlain } from "../rules.ts";
import { blobPiece } from "../store/blob.ts";

/**
 * Bytes, as JSON, of what every dispatch of a task carries, and every token of its containers
 * (contract §2.5): a token goes in a header, and HTTP servers take 64 KiB of those.
 */
const MAX_DISPATCHED = 40 * 1024;
const encoder = new TextEncoder();

/** Refuses what no dispatch or token could carry. */
export function checkSize({ image, databases }: NewTask): void {
  const { length } = encoder.encode(JSON.stringify([image, databases]));
  if (length <= MAX_DISPATCHED) return;
  const message = `image and databases may have ${MAX_DISPATCHED} bytes together as JSON, not ` +
    `${length}; what is larger belongs into the input`;
  throw new SextantError("invalid_request", `Cannot create the task: ${message}.`, {
    errors: { databases: [message] },
  });
}

/** Refuses an input that does not have the form that the collaboration asks for. */
export async function checkInput(
  { db, settings }: Pick<TaskDeps, "db" | "settings">,
  { id, input }: NewTask["organizations"][number],
  { principal, encrypted }: { principal: Principal; encrypted: boolean },
): Promise<void> {
  let fits: boolean;
  if (isBlobId(input)) {
    const start = await blobPiece(db, input, { position: 0, from: 0, length: HEAD });
    if (!start) {
      throw new SextantError(
        "invalid_request",
        `The input for organization ${id} names a blob that does not exist: ${input}.`,
      );
    }
    fits = encrypted ? beginsEncrypted(start) : beginsPlain(start);
  } else if (settings.blobStoreEnabled && principal.kind !== "container") {
    // Algorithms are older than blobs; what is in their images does not change.
    throw new SextantError(
      "invalid_request",
      `The input for organization ${id} must be the UUID of a blob: upload it to /api/blobstream.`,
      { errors: { organizations: [`input of organization ${id} is not a UUID`] } },
    );
  } else {
    fits = encrypted ? looksEncrypted(input) : looksPlain(input);
  }
  if (fits) return;
  const form = encrypted
    ? "encrypted (the collaboration is)"
    : "base64 of UTF-8 text (the collaboration is not encrypted)";
  throw new SextantError(
    "invalid_request",
    `The input for organization ${id} must be ${form}.`,
    { errors: { organizations: [`input of organization ${id} has the wrong form`] } },
  );
}
