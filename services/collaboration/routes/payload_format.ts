import { Hono } from "hono";
import { z } from "zod";
import { queryId } from "../../../shared/contract/fields.ts";
import { referTo } from "../../../shared/contract/references.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { found, pathId, query } from "../../../shared/contract/validate.ts";
import { demand } from "../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../deps.ts";
import { mayViewCollaboration } from "../rules.ts";
import { collaborationById, payloadFormatsIn } from "../store.ts";

const listQuery = z.object({ organization_id: queryId.optional() });

export function payloadFormatRoutes({ db }: CollaborationDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  // Beyond the field's API: how payloads for the nodes of a collaboration may be encrypted. No secret, and no part of
  // Node objects: who writes to a node need not be allowed to view it.
  routes.get(
    "/collaboration/:id/payload_formats",
    allow(["user", "node", "container"], "collaboration:VIEW"),
    query(listQuery),
    async function listPayloadFormats(c) {
      const collaborationId = pathId(c.req.param("id"));
      found(await collaborationById(db, collaborationId), "collaboration", collaborationId);
      demand(
        mayViewCollaboration(c.get("principal"), collaborationId),
        `view collaboration ${collaborationId}`,
      );
      const rows = await payloadFormatsIn(db, collaborationId, c.req.valid("query"));
      return c.json({
        data: rows.map(({ organization_id, payload_formats }) => ({
          organization: referTo("organization", organization_id),
          payload_formats,
        })),
      });
    },
  );

  return routes;
}
