import { Hono } from "hono";
import { z } from "zod";
import {
  listLink,
  name,
  nullAsAbsent,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryId,
  repeatable,
  text,
} from "../../../shared/contract.ts";
import { type Fragment, uniqueViolation } from "../../../shared/db.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  reachableOrganizations,
  widestScope,
} from "../../../shared/policy.ts";
import type { IdentityDeps } from "../app.ts";
import {
  insertOrganization,
  organizationById,
  organizationPage,
  type OrganizationRow,
} from "../store.ts";

const address = nullAsAbsent(text.pipe(z.string().max(128)));
const publicKey = text.refine(isBase64, "must be base64");

const newOrganization = z.object({
  name,
  domain: address,
  address1: address,
  address2: address,
  zipcode: address,
  country: address,
  public_key: nullAsAbsent(publicKey),
});

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
    allow("user node container", "organization:VIEW"),
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
        const ofStudy = study_id === undefined ? null : place.study;
        const container = ofStudy?.collaboration_id ?? place.collaboration?.id ?? null;
        demand(
          mayCollaboration(principal, "organization:VIEW", container),
          "view the organizations of that collaboration",
        );
        if (collaboration_id !== undefined) {
          where.push(db`id = any(${place.collaboration?.organization_ids ?? []})`);
        }
        if (study_id !== undefined) {
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
    allow("user", "organization:CREATE"),
    body(newOrganization),
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
        const row = await outbox.change(async ({ tx, emit }) => {
          const row = await insertOrganization(tx, values);
          emit("organization.changed", { organization_id: row.id });
          return row;
        });
        return c.json(showOrganization(row), 201);
      } catch (error) {
        if (uniqueViolation(error) !== "organization_name_unique") throw error;
        throw new SextantError("conflict", `An organization named "${given.name}" exists already.`);
      }
    },
  );

  routes.get(
    "/organization/:id",
    allow("user node container", "organization:VIEW"),
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

  return routes;
}
