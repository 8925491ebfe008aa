/**
 * Who may do what in collaboration: every route × every default role × whose thing it is, each with the status
 * that is expected. A route without a row fails.
 *
 * The caller belongs to organization A. "own" is A's, "same" is B's or of another collaboration that A and B share,
 * "foreign" is of a collaboration that A is not in. A node and its container belong to A and work in the first
 * collaboration.
 */
import assert from "node:assert/strict";
import { createCollaborationApp } from "../../services/collaboration/app.ts";
import { accessOf } from "../../shared/http.ts";
import type { Principal } from "../../shared/policy.ts";
import { freePort } from "../../services/stack/ports.ts";
import { type RoleName, useCollaboration } from "../support/collaboration.ts";

const hub = useCollaboration();

const RELATIONS = ["own", "same", "foreign"] as const;
type Relation = typeof RELATIONS[number];
type ByRelation = Record<Relation, number>;

const ROLES = [
  "Root",
  "Viewer",
  "Researcher",
  "Organization Admin",
  "Collaboration Admin",
  "node",
  "container",
] as const satisfies RoleName[];

/** Everything a row may be about. */
interface World {
  organization: ByRelation;
  /** The members of the first two are A and B, of the third C. */
  collaboration: ByRelation;
  /** In the first collaboration with A alone, in the first with B alone, and C's. */
  study: ByRelation;
  /** A's and B's in the first collaboration, and C's. */
  node: ByRelation;
  /** Of each collaboration. */
  store: ByRelation;
  /** Another collaboration of C, without a node. */
  empty: number;
}

interface Row {
  route: string;
  /** When a route has several rows: what this one is about. */
  about?: string;
  path: (world: World, relation: Relation) => string;
  body?: (world: World, relation: Relation) => unknown;
  /** Statuses for own, same and foreign; roles that are not named get 401 everywhere. */
  expect: Partial<Record<typeof ROLES[number], string>>;
}

const NOBODY = "401 401 401";
const ALL = "200 200 200";
const MADE = "201 201 201";
const ADMINS = { Root: ALL, "Collaboration Admin": "200 200 401" };
const MAKERS = { Root: MADE, "Collaboration Admin": "201 201 401" };
const PEOPLE = (statuses: string) => ({
  Viewer: statuses,
  Researcher: statuses,
  "Organization Admin": statuses,
  "Collaboration Admin": statuses,
});
const MACHINES = (statuses: string) => ({ node: statuses, container: statuses });

let made = 0;
const name = () => `Authorization ${++made}`;
const server_url = "https://sextant.example/api";

const store = Deno.serve(
  { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
  () => Response.json({}, { status: 201 }),
);
const storeUrl = () => `http://127.0.0.1:${store.addr.port}/${++made}/api`;
Deno.test.afterAll(() => store.shutdown());

const TABLE: Row[] = [
  {
    route: "GET /collaboration",
    path: (w, r) => `/collaboration?organization_id=${w.organization[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 401 401"), node: "200 401 401" },
  },
  {
    route: "POST /collaboration",
    path: () => "/collaboration",
    body: (w, r) => ({ name: name(), organization_ids: [w.organization[r]], encrypted: false }),
    expect: { Root: ALL },
  },
  {
    route: "GET /collaboration/:id",
    path: (w, r) => `/collaboration/${w.collaboration[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401"), ...MACHINES("200 401 401") },
  },
  {
    route: "PATCH /collaboration/:id",
    path: (w, r) => `/collaboration/${w.collaboration[r]}`,
    body: () => ({ name: name() }),
    expect: ADMINS,
  },
  {
    route: "PATCH /collaboration/:id",
    about: "its organizations",
    path: (w, r) => `/collaboration/${w.collaboration[r]}`,
    body: (w) => ({ organization_ids: [w.organization.own] }),
    expect: { Root: ALL },
  },
  {
    route: "DELETE /collaboration/:id",
    path: (w, r) => `/collaboration/${w.collaboration[r]}?delete_dependents=True`,
    expect: { Root: ALL },
  },
  {
    route: "POST /collaboration/:id/organization",
    about: "by collaboration",
    path: (w, r) => `/collaboration/${w.collaboration[r]}/organization`,
    body: (w) => ({ id: w.organization.same }),
    expect: ADMINS,
  },
  {
    route: "POST /collaboration/:id/organization",
    about: "by organization",
    path: (w) => `/collaboration/${w.collaboration.own}/organization`,
    body: (w, r) => ({ id: w.organization[r] }),
    expect: ADMINS,
  },
  {
    route: "DELETE /collaboration/:id/organization",
    path: (w, r) => `/collaboration/${w.collaboration[r]}/organization`,
    body: (w, r) => ({ id: w.organization[r] }),
    expect: ADMINS,
  },
  {
    route: "POST /collaboration/:id/node",
    path: (w) => `/collaboration/${w.collaboration.same}/node`,
    body: (w, r) => ({ id: w.node[r] }),
    expect: { Root: "201 201 400", "Collaboration Admin": "201 201 401" },
  },
  {
    route: "DELETE /collaboration/:id/node",
    path: (w, r) => `/collaboration/${w.collaboration[r === "same" ? "own" : r]}/node`,
    body: (w, r) => ({ id: w.node[r] }),
    expect: ADMINS,
  },
  {
    route: "GET /study",
    path: (w, r) => `/study?collaboration_id=${w.collaboration[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401"), ...MACHINES("200 401 401") },
  },
  {
    route: "POST /study",
    path: () => "/study",
    body: (w, r) => ({
      name: name(),
      collaboration_id: w.collaboration[r],
      organization_ids: [w.organization[r]],
    }),
    expect: MAKERS,
  },
  {
    route: "GET /study/:id",
    path: (w, r) => `/study/${w.study[r]}`,
    expect: {
      Root: ALL,
      ...PEOPLE("200 401 401"),
      "Collaboration Admin": "200 200 401",
      ...MACHINES("200 401 401"),
    },
  },
  {
    route: "PATCH /study/:id",
    path: (w, r) => `/study/${w.study[r]}`,
    body: () => ({ name: name() }),
    expect: ADMINS,
  },
  { route: "DELETE /study/:id", path: (w, r) => `/study/${w.study[r]}`, expect: ADMINS },
  {
    route: "POST /study/:id/organization",
    path: (w, r) => `/study/${w.study[r]}/organization`,
    body: (w, r) => ({ id: w.organization[r] }),
    expect: ADMINS,
  },
  {
    route: "DELETE /study/:id/organization",
    path: (w, r) => `/study/${w.study[r]}/organization`,
    body: (w, r) => ({ id: w.organization[r] }),
    expect: ADMINS,
  },
  {
    route: "GET /node",
    path: (w, r) => `/node?organization_id=${w.organization[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401"), node: "200 401 401" },
  },
  {
    route: "POST /node",
    path: () => "/node",
    body: (w, r) => ({
      name: name(),
      organization_id: w.organization[r],
      collaboration_id: r === "foreign" ? w.empty : w.collaboration.same,
    }),
    expect: { ...MAKERS, "Organization Admin": "201 401 401" },
  },
  {
    route: "GET /node/:id",
    path: (w, r) => `/node/${w.node[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401"), node: "200 401 401" },
  },
  {
    route: "PATCH /node/:id",
    path: (w, r) => `/node/${w.node[r]}`,
    body: () => ({ name: name() }),
    expect: {
      Root: ALL,
      "Organization Admin": "200 401 401",
      "Collaboration Admin": "200 401 401",
      node: "200 401 401",
    },
  },
  { route: "DELETE /node/:id", path: (w, r) => `/node/${w.node[r]}`, expect: ADMINS },
  {
    route: "POST /recover/node",
    path: () => "/recover/node",
    body: (w, r) => ({ id: w.node[r] }),
    expect: {
      Root: ALL,
      "Organization Admin": "200 401 401",
      "Collaboration Admin": "200 401 401",
    },
  },
  {
    route: "GET /algorithmstore",
    path: (w, r) => `/algorithmstore?collaboration_id=${w.collaboration[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401") },
  },
  {
    route: "POST /algorithmstore",
    path: () => "/algorithmstore",
    body: (w, r) => ({
      name: name(),
      algorithm_store_url: storeUrl(),
      server_url,
      collaboration_id: w.collaboration[r],
      force: true,
    }),
    expect: MAKERS,
  },
  {
    route: "POST /algorithmstore",
    about: "for all collaborations",
    path: () => "/algorithmstore",
    body: () => ({ name: name(), algorithm_store_url: storeUrl(), server_url, force: true }),
    expect: { Root: MADE },
  },
  {
    route: "GET /algorithmstore/:id",
    path: (w, r) => `/algorithmstore/${w.store[r]}`,
    expect: { Root: ALL, ...PEOPLE("200 200 401"), node: "200 401 401" },
  },
  {
    route: "PATCH /algorithmstore/:id",
    path: (w, r) => `/algorithmstore/${w.store[r]}`,
    body: () => ({ name: name() }),
    expect: ADMINS,
  },
  {
    route: "DELETE /algorithmstore/:id",
    path: (w, r) => `/algorithmstore/${w.store[r]}?server_url=${server_url}`,
    expect: ADMINS,
  },
];

async function newWorld(): Promise<World> {
  const [a, b, c] = [await hub.organization(), await hub.organization(), await hub.organization()];
  const collaboration = {
    own: await hub.collaboration([a, b]),
    same: await hub.collaboration([a, b]),
    foreign: await hub.collaboration([c]),
  };
  const { own, foreign } = collaboration;
  async function newStore(collaboration_id: number): Promise<number> {
    const db = hub.dbs.collaboration;
    const [row] = await db<{ id: number }[]>`
      insert into algorithm_store ${db({ name: name(), url: storeUrl(), collaboration_id })}
      returning id`;
    return row!.id;
  }
  return {
    organization: { own: a, same: b, foreign: c },
    collaboration,
    study: {
      own: await hub.study(own, [a]),
      same: await hub.study(own, [b]),
      foreign: await hub.study(foreign, [c]),
    },
    node: {
      own: (await hub.node(a, own)).id,
      same: (await hub.node(b, own)).id,
      foreign: (await hub.node(c, foreign)).id,
    },
    store: {
      own: await newStore(own),
      same: await newStore(collaboration.same),
      foreign: await newStore(foreign),
    },
    empty: await hub.collaboration([c]),
  };
}

async function callerIn(world: World, role: typeof ROLES[number]): Promise<Principal> {
  return role === "node" || role === "container"
    ? await hub.machine(role, world.node.own)
    : await hub.principal(role, world.organization.own);
}

for (const { route, about, path, body, expect } of TABLE) {
  Deno.test(`${route} ${about ? `(${about}) ` : ""}answers each role as the table says`, async () => {
    const [method] = route.split(" ");
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    let world = await newWorld();
    for (const role of ROLES) {
      const statuses: number[] = [];
      for (const relation of RELATIONS) {
        const as = await callerIn(world, role);
        const given = body?.(world, relation);
        const { status } = await hub.call(method!, path(world, relation), {
          as,
          ...(given === undefined ? {} : { body: given }),
        });
        statuses.push(status);
        // What one caller has changed must be there again for the next.
        if (status < 400 && method !== "GET") world = await newWorld();
      }
      found[role] = statuses.join(" ");
      expected[role] = expect[role] ?? NOBODY;
    }
    assert.deepEqual(found, expected);
    const given = body?.(world, "own");
    const anonymous = await hub.call(method!, path(world, "own"), given ? { body: given } : {});
    assert.equal(anonymous.status, 401);
  });
}

Deno.test("the table has a row for every route of collaboration, and every route names its callers", () => {
  const routes = createCollaborationApp(hub.deps).routes
    .filter(({ path }) => path !== "/api/openapi.json"); // for the gateway, which shows it to everybody
  const all = new Set(
    routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace("/api", "")}`),
  );
  const declared = routes.filter(({ handler }) => accessOf(handler))
    .map(({ method, path }) => `${method} ${path.replace("/api", "")}`);
  const rows = new Set(TABLE.map((row) => row.route));
  assert.deepEqual([...rows].sort(), [...all].sort());
  assert.deepEqual([...new Set(declared)].sort(), [...all].sort());
});
