import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, type Principal, scopesOf } from "../../../../shared/contract/permissions.ts";
import {
  BLOB_DIGEST_HEADER,
  type UploadedBlob,
  uploadedBlobSchema,
} from "../../../../shared/node_protocol/blobs.ts";
import { isFinal } from "../../../../shared/node_protocol/status.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { callerOf } from "../../../../shared/storage/idempotency.ts";
import { writeBlob } from "../../blobs/stream.ts";
import type { TaskDeps } from "../../deps.ts";
import { taskStatus } from "../../rules.ts";
import { unusedBytes } from "../../store/blob.ts";
import { statusesOfTask } from "../../store/task.ts";

/** Of the room that the algorithms have. */
const OF_ONE_TASK = 1 / 4;

export function uploadBlob(app: Hono<AppEnv>, { db, settings }: TaskDeps): void {
  app.post(
    "/blobstream",
    allow(["user", "node", "container"]),
    answers(uploadedBlobSchema, {
      status: 201,
      does: "Takes a large payload; its id stands in place of the input or result.",
    }),
    async function uploadBlob(c) {
      const principal = c.get("principal");
      await demandUpload(db, principal);
      const demandRoom = () => demandRoomOf(db, principal, settings.maxUnusedBytes);
      await demandRoom();
      const { id, size, sha256 } = await writeBlob(db, {
        owner: callerOf(principal),
        organizationId: principal.organization_id,
        content: c.req.raw.body,
        signal: c.req.raw.signal,
        declaredSize: c.req.header("content-length"),
        demandRoom,
      });
      c.get("log").info("Blob stored", { blob_id: id, bytes: size });
      return c.json({ uuid: id } satisfies UploadedBlob, 201, { [BLOB_DIGEST_HEADER]: sha256 });
    },
  );
}

/** Who may create tasks, and who may post results. */
async function demandUpload(db: Db, principal: Principal): Promise<void> {
  if (principal.kind === "user") {
    const held = scopesOf(principal, "task:CREATE");
    return demand(held.has("COLLABORATION") || held.has("GLOBAL"), "upload payloads of tasks");
  }
  if (principal.kind === "node") return;
  if (!isFinal(taskStatus(await statusesOfTask(db, principal.task_id)))) return;
  throw new SextantError("task_finished", `Task ${principal.task_id} is finished.`);
}

/**
 * What is uploaded and used by nothing lies here for a day: an algorithm in a loop would fill the
 * disk. Algorithms have a room of their own at each organization, and one task a part of that:
 * theirs are other organizations' too, which must not keep this one's users and node from
 * uploading.
 */
async function demandRoomOf(db: Db, principal: Principal, maxUnusedBytes: number): Promise<void> {
  const { organization_id, kind } = principal;
  const limits = [{ of: `Organization ${organization_id}`, owners: `${kind}:`, share: 1 }];
  if (kind === "container") {
    const of = `Task ${principal.task_id}`;
    limits.unshift({ of, owners: `${callerOf(principal)}:`, share: OF_ONE_TASK });
  }
  for (const { of, owners, share } of limits) {
    const most = share * maxUnusedBytes;
    if (await unusedBytes(db, organization_id, owners) < most) continue;
    throw new SextantError(
      "too_many_requests",
      `${of} has ${
        Math.round(most / 2 ** 20)
      } MiB of uploads by a ${kind} that no task or result ` +
        "uses. Use them first; what is not used is removed after a day.",
    );
  }
}
