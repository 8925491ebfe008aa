import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { organizationDeletion } from "../../../../shared/contract/organization.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { found, pathId, query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { removeOrganization } from "../../changes/organization.ts";
import type { IdentityDeps } from "../../deps.ts";
import { organizationById, organizationContent } from "../../store/organization.ts";

export function deleteOrganization(
  app: Hono<AppEnv>,
  { db, outbox, ask }: IdentityDeps,
): void {
  app.delete(
    "/organization/:id",
    allow(["user"], "organization:DELETE"),
    query(organizationDeletion),
    answers(said, {
      does: "With users, roles, nodes or tasks it is refused (400) unless `delete_dependents` is " +
        "set; then they go too.",
    }),
    async function deleteOrganization(c) {
      const principal = c.get("principal");
      const id = pathId(c.req.param("id"));
      found(await organizationById(db, id), "organization", id);
      demand(mayOrganization(principal, "organization:DELETE", id), `delete organization ${id}`);
      if (id === principal.organization_id) {
        throw new SextantError("invalid_request", "You cannot delete your own organization.");
      }
      if (!c.req.valid("query").delete_dependents) await requireNoDependents(id);
      await outbox.change((change) => removeOrganization(change, id));
      return c.json({ msg: `Organization ${id} is deleted.` });
    },
  );

  async function requireNoDependents(id: number): Promise<void> {
    const [{ users, roles }, { nodes }, { tasks }] = await Promise.all([
      organizationContent(db, id),
      ask("collaboration", "node_count", { organization_id: id }),
      ask("task", "count", { organization_id: id }),
    ]);
    const dependents = Object.entries({ users, roles, nodes, tasks })
      .filter(([, count]) => count > 0).map(([noun, count]) => `${count} ${noun}`);
    if (dependents.length === 0) return;
    throw new SextantError(
      "invalid_request",
      `Organization ${id} has ${dependents.join(", ")}. ` +
        "Set delete_dependents to delete them too.",
    );
  }
}
