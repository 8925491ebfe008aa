import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, type Principal } from "../../../../shared/contract/permissions.ts";
import { found } from "../../../../shared/contract/validate.ts";
import { BLOB_DIGEST_HEADER, isBlobId } from "../../../../shared/node_protocol/blobs.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { callerOf } from "../../../../shared/storage/idempotency.ts";
import { readBlob } from "../../blobs/stream.ts";
import type { TaskDeps } from "../../deps.ts";
import { isAtNode, mayTask } from "../../rules.ts";
import { blobById, type BlobRow } from "../../store/blob.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";

const TYPE = "application/octet-stream";

export function downloadBlob(app: Hono<AppEnv>, { db }: TaskDeps): void {
  app.get(
    "/blobstream/:id",
    allow(["user", "node", "container"]),
    answers(undefined, { type: TYPE, does: "A large payload, by its id." }),
    async function downloadBlob(c) {
      const blobId = c.req.param("id");
      const blob = isBlobId(blobId) ? await blobById(db, blobId) : undefined;
      const complete = found(blob?.size == null ? undefined : blob, "blob", blobId);
      await demandDownload(db, c.get("principal"), complete);
      const size = complete.size!;
      const from = startOfRange(c.req.header("range"), size);
      return c.body(readBlob(db, complete, from ?? 0), from === undefined ? 200 : 206, {
        "content-type": TYPE,
        "content-length": String(size - (from ?? 0)),
        "content-disposition": `attachment; filename="${complete.id}"`,
        "accept-ranges": "bytes",
        ...(from === undefined ? {} : { "content-range": `bytes ${from}-${size - 1}/${size}` }),
        [BLOB_DIGEST_HEADER]: complete.sha256!,
      });
    },
  );
}

/**
 * Before it is used, a blob is its uploader's; afterwards it is read like the result it belongs to.
 */
async function demandDownload(db: Db, principal: Principal, blob: BlobRow): Promise<void> {
  const row = blob.result_id === null
    ? undefined
    : await resultOfTaskById(db, blob.result_id, "result");
  const allowed = row
    ? mayTask(principal, "run:VIEW", row) || isAtNode(principal, row)
    : blob.owner === callerOf(principal);
  demand(allowed, `download blob ${blob.id}`);
}

/**
 * Where a download that goes on after a broken connection begins; `undefined` asks for everything.
 * Other ranges than "from here to the end" are not served, as a server may (RFC 9110 §14.2).
 */
function startOfRange(range: string | undefined, size: number): number | undefined {
  const from = Number(/^bytes=(\d{1,15})-$/.exec(range ?? "")?.[1] ?? NaN);
  return from < size ? from : undefined;
}
