import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { type BlobStatus, blobStatusSchema } from "../../../../shared/node_protocol/blobs.ts";
import type { TaskDeps } from "../../deps.ts";

export function getBlobStatus(app: Hono<AppEnv>, { settings }: TaskDeps): void {
  app.get(
    "/blobstream/status",
    allow(["user", "node", "container"]),
    answers(blobStatusSchema, { does: "Whether large payloads can be uploaded on their own." }),
    function getBlobStatus(c) {
      return c.json({ blob_store_enabled: settings.blobStoreEnabled } satisfies BlobStatus);
    },
  );
}
