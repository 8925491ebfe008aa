import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { payloadFormatList, payloadFormats } from "../../../../shared/contract/payload_format.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { referTo } from "../../../../shared/contract/references.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayViewCollaboration } from "../../rules.ts";
import { payloadFormatsIn } from "../../store/node.ts";
import { requireCollaboration } from "../collaboration/require_collaboration.ts";

export function listPayloadFormats(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  // Beyond v6's API: how payloads for the nodes of a collaboration may be encrypted. No secret, and
  // no part of Node objects: who writes to a node need not be allowed to view it.
  app.get(
    "/collaboration/:id/payload_formats",
    allow(["user", "node", "container"], "collaboration:VIEW"),
    query(payloadFormatList),
    answers(payloadFormats, {
      does: "The formats of encrypted payloads that all its nodes read, beyond v6's API.",
    }),
    async function listPayloadFormats(c) {
      const { id } = await requireCollaboration(db, c.req.param("id"));
      demand(mayViewCollaboration(c.get("principal"), id), `view collaboration ${id}`);
      const rows = await payloadFormatsIn(db, id, c.req.valid("query"));
      return c.json({
        data: rows.map(({ organization_id, payload_formats }) => ({
          organization: referTo("organization", organization_id),
          payload_formats,
        })),
      });
    },
  );
}
