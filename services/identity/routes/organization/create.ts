import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { newOrganization, organization } from "../../../../shared/contract/organization.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import * as changes from "../../changes/organization.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showOrganization } from "../../show.ts";

export function createOrganization(app: Hono<AppEnv>, { db, outbox }: IdentityDeps): void {
  app.post(
    "/organization",
    allow(["user"], "organization:CREATE"),
    body(newOrganization),
    answers(organization, { status: 201 }),
    idempotent(db),
    async function createOrganization(c) {
      const given = c.req.valid("json");
      const values = {
        name: given.name,
        domain: given.domain ?? "",
        address1: given.address1 ?? "",
        address2: given.address2 ?? null,
        zipcode: given.zipcode ?? "",
        country: given.country ?? "",
        public_key: given.public_key ?? "",
      };
      return await once(c, outbox, async (change) => {
        const row = await changes.createOrganization(change, values);
        return c.json(showOrganization(row), 201);
      });
    },
  );
}
