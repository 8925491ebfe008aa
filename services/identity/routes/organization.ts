import { Hono } from "hono";
import { z } from "zod";
import { listLink } from "../../../shared/contract/references.ts";
import {
  name,
  nullAsAbsent,
  queryBoolean,
  queryId,
  repeatable,
  text,
} from "../../../shared/contract/fields.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { type Fragment, uniqueViolation } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  reachableOrganizations,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import type { IdentityDeps } from "../deps.ts";
import {
  deleteOrganization,
  insertOrganization,
  organizationById,
  organizationContent,
  organizationPage,
  type OrganizationRow,
  updateOrganization,
} from "../store/organization.ts";
import { deleteRefreshTokens } from "../store/session.ts";

const address = nullAsAbsent(text.pipe(z.string().max(128)));
/** An RSA key of 16384 bits takes 3900. The key is part of every Organization, and those go from service to service in messages. */
const publicKey = text.pipe(z.string().max(4096)).refine(isBase64, "must be base64");

const newOrganization = z.object({
  name,
  domain: address,
  address1: address,
  address2: address,
  zipcode: address,
  country: address,
  public_key: nullAsAbsent(publicKey),
});

const changes = newOrganization.extend({ name: nullAsAbsent(name) });

const deletion = z.object({ delete_dependents: queryBoolean.default(false) });

const listQuery = pageQuery.extend({
  name: text.optional(),
  country: text.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  ids: repeatable(queryId).optional(),
});

const SORTABLE = ["id", "name", "domain", "address1", "address2", "zipcode", "country"];

function isBase64(value: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
}

/** The contract's Organization (§3.1). */
export function showOrganization(row: OrganizationRow) {
  return {
    id: row.id,
    name: row.name,
    domain: row.domain,
    address1: row.address1,
    address2: row.address2,
    zipcode: row.zipcode,
    country: row.country,
    public_key: row.public_key,
    collaborations: listLink("collaboration", "organization_id", row.id),
    nodes: listLink("node", "organization_id", row.id),
    users: listLink("user", "organization_id", row.id),
    tasks: listLink("task", "init_org_id", row.id),
    runs: listLink("run", "organization_id", row.id),
    studies: listLink("study", "organization_id", row.id),
  };
}

export function organizationRoutes({ db, outbox, ask }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get(
    "/organization",
    allow(["user", "node", "container"], "organization:VIEW"),
    query(listQuery),
    async function listOrganizations(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const scope = widestScope(principal, "organization:VIEW");
      if (scope === "COLLABORATION") {
        where.push(db`id = any(${reachableOrganizations(principal)})`);
      } else if (scope === "ORGANIZATION") {
        where.push(db`id = ${principal.organization_id}`);
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.country !== undefined) where.push(db`country = ${wanted.country}`);
      if (wanted.ids) where.push(db`id = any(${wanted.ids})`);
      if (wanted.collaboration_id !== undefined || wanted.study_id !== undefined) {
        const { collaboration_id, study_id } = wanted;
        const place = await ask("collaboration", "scope", {
          ...(collaboration_id === undefined ? {} : { collaboration_id }),
          ...(study_id === undefined ? {} : { study_id }),
        });
        // Each on its own: whoever sees the study need not see the collaboration that is named beside it.
        const demandReach = (id: number | undefined) =>
          demand(
            mayCollaboration(principal, "organization:VIEW", id ?? null),
            "view the organizations of that collaboration",
          );
        if (collaboration_id !== undefined) {
          demandReach(place.collaboration?.id);
          where.push(db`id = any(${place.collaboration?.organization_ids ?? []})`);
        }
        if (study_id !== undefined) {
          demandReach(place.study?.collaboration_id);
          where.push(db`id = any(${place.study?.organization_ids ?? []})`);
        }
      }
      const { rows, total } = await organizationPage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, rows.map(showOrganization), total, wanted);
    },
  );

  routes.post(
    "/organization",
    allow(["user"], "organization:CREATE"),
    body(newOrganization),
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
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          const row = await insertOrganization(tx, values);
          emit("organization.changed", { organization_id: row.id });
          return c.json(showOrganization(row), 201);
        });
      } catch (error) {
        throw asDuplicate(error, given.name);
      }
    },
  );

  routes.get(
    "/organization/:id",
    allow(["user", "node", "container"], "organization:VIEW"),
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

  routes.patch(
    "/organization/:id",
    allow(["user", "node"], "organization:EDIT"),
    body(changes),
    async function changeOrganization(c) {
      const id = pathId(c.req.param("id"));
      found(await organizationById(db, id), "organization", id);
      demand(
        mayOrganization(c.get("principal"), "organization:EDIT", id),
        `edit organization ${id}`,
      );
      const values = Object.fromEntries(
        Object.entries(c.req.valid("json")).filter(([, value]) => value !== undefined),
      );
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          const row = found(await updateOrganization(tx, id, values), "organization", id);
          emit("organization.changed", { organization_id: id });
          return row;
        });
        return c.json(showOrganization(row));
      } catch (error) {
        throw asDuplicate(error, String(values.name));
      }
    },
  );

  routes.delete(
    "/organization/:id",
    allow(["user"], "organization:DELETE"),
    query(deletion),
    async function removeOrganization(c) {
      const principal = c.get("principal");
      const id = pathId(c.req.param("id"));
      found(await organizationById(db, id), "organization", id);
      demand(mayOrganization(principal, "organization:DELETE", id), `delete organization ${id}`);
      if (id === principal.organization_id) {
        throw new SextantError("invalid_request", "You cannot delete your own organization.");
      }
      if (!c.req.valid("query").delete_dependents) {
        const [{ users, roles }, { nodes }, { tasks }] = await Promise.all([
          organizationContent(db, id),
          ask("collaboration", "node_count", { organization_id: id }),
          ask("task", "count", { organization_id: id }),
        ]);
        const dependents = Object.entries({ users, roles, nodes, tasks })
          .filter(([, count]) => count > 0).map(([noun, count]) => `${count} ${noun}`);
        if (dependents.length > 0) {
          throw new SextantError(
            "invalid_request",
            `Organization ${id} has ${dependents.join(", ")}. ` +
              "Set delete_dependents to delete them too.",
          );
        }
      }
      // The other services hear of it and delete what is theirs, also when they are down at this moment.
      await outbox.change(async ({ tx, emit }) => {
        const { userIds, roleIds } = await deleteOrganization(tx, id);
        await deleteRefreshTokens(tx, "user", userIds);
        for (const user_id of userIds) emit("user.deleted", { user_id, organization_id: id });
        for (const role_id of roleIds) emit("role.deleted", { role_id });
        emit("organization.deleted", { organization_id: id });
      });
      return c.json({ msg: `Organization ${id} is deleted.` });
    },
  );

  return routes;
}

function asDuplicate(error: unknown, name: string): unknown {
  if (uniqueViolation(error) !== "organization_name_unique") return error;
  return new SextantError("conflict", `An organization named "${name}" exists already.`);
}
