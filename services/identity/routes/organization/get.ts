import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { organization } from "../../../../shared/contract/organization.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showOrganization } from "../../show.ts";
import { organizationById } from "../../store/organization.ts";

export function getOrganization(app: Hono<AppEnv>, { db }: IdentityDeps): void {
  app.get(
    "/organization/:id",
    allow(["user", "node", "container"], "organization:VIEW"),
    answers(organization),
    async function getOrganization(c) {
      const id = pathId(c.req.param("id"));
      const row = found(await organizationById(db, id), "organization", id);
      demand(
        mayOrganization(c.get("principal"), "organization:VIEW", id),
        `view organization ${id}`,
      );
      return c.json(showOrganization(row));
    },
  );
}
