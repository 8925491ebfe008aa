/**
 * Payloads that are too large for a message go over HTTP, to and from `/blobstream`, and are then
 * named by their id.
 * @module
 */
import { z } from "zod";

/** The form of a blob's id: a UUID in lower case. The source of a pattern, for routes. */
export const BLOB_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const pattern = new RegExp(`^${BLOB_ID}$`);

/** Whether this is a blob's id. No base64 looks like that. */
export function isBlobId(text: string | null): text is string {
  return text !== null && pattern.test(text);
}

/** The header with the SHA-256, in hex, of the whole blob, whatever part of it is sent. */
export const BLOB_DIGEST_HEADER = "x-content-sha256";

/** The answer to an upload. */
export const uploadedBlobSchema = z.object({ uuid: z.uuid() });
export type UploadedBlob = z.infer<typeof uploadedBlobSchema>;

/** The answer to `GET /blobstream/status`: whether inputs must be uploaded. */
export const blobStatusSchema = z.object({ blob_store_enabled: z.boolean() });
export type BlobStatus = z.infer<typeof blobStatusSchema>;
