import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { organization, organizationChanges } from "../../../../shared/contract/organization.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { body, found, pathId } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { updateOrganization } from "../../changes/organization.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showOrganization } from "../../show.ts";
import { organizationById } from "../../store/organization.ts";

export function editOrganization(app: Hono<AppEnv>, { db, outbox }: IdentityDeps): void {
  app.patch(
    "/organization/:id",
    allow(["user", "node"], "organization:EDIT"),
    body(organizationChanges),
    answers(organization, {
      does:
        "Changes what is given; null leaves a field as it is. `public_key` is changed by members of " +
        "the organization alone, and by a node only where there is none.",
    }),
    async function editOrganization(c) {
      const id = pathId(c.req.param("id"));
      const before = found(await organizationById(db, id), "organization", id);
      demand(
        mayOrganization(c.get("principal"), "organization:EDIT", id),
        `edit organization ${id}`,
      );
      const values = c.req.valid("json");
      // Whoever sets the key can read what is encrypted for the organization from then on: no scope
      // is wide enough for that (as v6 from 4.15 on has it).
      if (values.public_key !== undefined && c.get("principal").organization_id !== id) {
        throw new SextantError(
          "forbidden",
          "Only members of an organization can update its public key!",
        );
      }
      // A node may be the first to tell the key, as v6's are; whoever holds its API key alone must
      // not read from then on what is meant for the organization.
      if (
        values.public_key !== undefined && c.get("principal").kind === "node" &&
        before.public_key !== "" && before.public_key !== values.public_key
      ) {
        throw new SextantError(
          "forbidden",
          "A node does not change the public key of its organization: a user of it does.",
        );
      }
      const row = await outbox.change((change) => updateOrganization(change, id, values));
      return c.json(showOrganization(row));
    },
  );
}
