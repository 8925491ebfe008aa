import { Hono } from "hono";
import { SextantError } from "../../../../shared/service/errors.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { found } from "../../../../shared/contract/validate.ts";
import { callerOf } from "../../../../shared/storage/idempotency.ts";
import { demand, type Principal, scopesOf } from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { readBlob, writeBlob } from "../../blobs/stream.ts";
import {
  BLOB_DIGEST_HEADER,
  type BlobStatus,
  isBlobId,
  type UploadedBlob,
} from "../../../../shared/node_protocol/blobs.ts";
import { isFinal } from "../../../../shared/node_protocol/status.ts";
import { isAtNode, mayTask, taskStatus } from "../../rules.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";
import { statusesOfTask } from "../../store/task.ts";
import { blobById, type BlobRow, unusedBytes } from "../../store/blob.ts";

/**
 * Where a download that goes on after a broken connection begins; `undefined` asks for everything. Other ranges than "from here
 * to the end" are not served, as a server may (RFC 9110 §14.2).
 */
function startOfRange(range: string | undefined, size: number): number | undefined {
  const from = Number(/^bytes=(\d{1,15})-$/.exec(range ?? "")?.[1] ?? NaN);
  return from < size ? from : undefined;
}

export function blobRoutes({ db, settings }: TaskDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  /** Who may create tasks, and who may post results. */
  async function demandUpload(principal: Principal): Promise<void> {
    if (principal.kind === "user") {
      const held = scopesOf(principal, "task:CREATE");
      return demand(held.has("COLLABORATION") || held.has("GLOBAL"), "upload payloads of tasks");
    }
    if (principal.kind === "node") return;
    if (!isFinal(taskStatus(await statusesOfTask(db, principal.task_id)))) return;
    throw new SextantError("task_finished", `Task ${principal.task_id} is finished.`);
  }

  /** What is uploaded and used by nothing lies here for a day: an algorithm in a loop would fill the disk. */
  async function demandRoom({ organization_id }: Principal): Promise<void> {
    if (await unusedBytes(db, organization_id) < settings.maxUnusedBytes) return;
    throw new SextantError(
      "too_many_requests",
      `Organization ${organization_id} has ${
        Math.round(settings.maxUnusedBytes / 2 ** 20)
      } MiB of uploads ` +
        "that no task or result uses. Use them first; what is not used is removed after a day.",
    );
  }

  /** Before it is used, a blob is its uploader's; afterwards it is read like the result it belongs to. */
  async function demandDownload(principal: Principal, blob: BlobRow): Promise<void> {
    const row = blob.result_id === null
      ? undefined
      : await resultOfTaskById(db, blob.result_id, "result");
    const allowed = row
      ? mayTask(principal, "run:VIEW", row) || isAtNode(principal, row)
      : blob.owner === callerOf(principal);
    demand(allowed, `download blob ${blob.id}`);
  }

  routes.get(
    "/blobstream/status",
    allow(["user", "node", "container"]),
    function blobStatus(c) {
      return c.json({ blob_store_enabled: settings.blobStoreEnabled } satisfies BlobStatus);
    },
  );

  routes.post("/blobstream", allow(["user", "node", "container"]), async function uploadBlob(c) {
    const principal = c.get("principal");
    await demandUpload(principal);
    await demandRoom(principal);
    const { id, size, sha256 } = await writeBlob(db, {
      owner: callerOf(principal),
      organizationId: principal.organization_id,
      content: c.req.raw.body,
      signal: c.req.raw.signal,
      declaredSize: c.req.header("content-length"),
    });
    c.get("log").info("Blob stored", { blob_id: id, bytes: size });
    return c.json({ uuid: id } satisfies UploadedBlob, 201, { [BLOB_DIGEST_HEADER]: sha256 });
  });

  routes.get(
    "/blobstream/:id",
    allow(["user", "node", "container"]),
    async function downloadBlob(c) {
      const blobId = c.req.param("id");
      const blob = isBlobId(blobId) ? await blobById(db, blobId) : undefined;
      const complete = found(blob?.size == null ? undefined : blob, "blob", blobId);
      await demandDownload(c.get("principal"), complete);
      const size = complete.size!;
      const from = startOfRange(c.req.header("range"), size);
      return c.body(readBlob(db, complete, from ?? 0), from === undefined ? 200 : 206, {
        "content-type": "application/octet-stream",
        "content-length": String(size - (from ?? 0)),
        "content-disposition": `attachment; filename="${complete.id}"`,
        "accept-ranges": "bytes",
        ...(from === undefined ? {} : { "content-range": `bytes ${from}-${size - 1}/${size}` }),
        // Of the whole, whatever part of it this is.
        [BLOB_DIGEST_HEADER]: complete.sha256!,
      });
    },
  );

  return routes;
}
