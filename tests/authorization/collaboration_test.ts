import { keepMetrics } from "../../services/collaboration/store/metrics.ts";
import { TOLD } from "../support/algorithms.ts";
import { startAlgorithmStore } from "../support/algorithm_store.ts";
import { METRICS } from "../support/metrics.ts";
import { testTable } from "./table.ts";
import type { Place, World } from "./world.ts";

const YES = "200 200 200";
const NO = "401 401 401";
const OWN = "200 401 401";
const SHARED = "200 200 401";
/** Those who edit their own collaborations. */
const EDITORS = { Root: YES, "Collaboration Admin": SHARED, "*": NO };
const CREATORS = { Root: "201 201 201", "Collaboration Admin": "201 201 401", "*": NO };
const PEOPLE = "Viewer, Researcher, Organization Admin";
const server_url = "https://sextant.example/api";

const store = startAlgorithmStore();
Deno.test.afterAll(() => store.stop());

async function create(world: World, path: string, body: unknown): Promise<number> {
  const answer = await world.hub.call("POST", path, { token: world.hub.root, body });
  if (answer.status > 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}

/**
 * A new collaboration: the callers' organization is in it with the other one, or only the foreign
 * one is.
 */
function newCollaboration(world: World, place: Place): Promise<number> {
  const { own, same, foreign } = world.organizations;
  const organization_ids = place === "foreign" ? [foreign] : [own, same];
  return create(world, "/collaboration", {
    name: world.name(),
    organization_ids,
    encrypted: false,
  });
}

/**
 * own: the one that the callers' node works in; same: another of the callers' organization;
 * foreign: one without.
 */
async function collaboration(world: World, place: Place): Promise<number> {
  return place === "same" ? await newCollaboration(world, place) : world.collaborations[place];
}

/** A new study with one organization, in the callers' or in the foreign collaboration. */
function newStudy(world: World, place: Place): Promise<number> {
  return create(world, "/study", {
    name: world.name(),
    collaboration_id: world.collaborations[place],
    organization_ids: [world.organizations[place]],
  });
}

/** A new node in a new collaboration. */
async function newNode(world: World, place: Place): Promise<{ id: number; in: number }> {
  const collaboration_id = await newCollaboration(world, place);
  const organization_id = world.organizations[place];
  const id = await create(world, "/node", {
    name: world.name(),
    organization_id,
    collaboration_id,
  });
  return { id, in: collaboration_id };
}

/** own: the callers' own node. */
async function node(world: World, place: Place): Promise<number> {
  return place === "own" ? world.nodeId : (await newNode(world, place)).id;
}

function storeUrl(world: World): string {
  return store.url.replace(/api$/, `${world.name()}/api`);
}

/** A new link to an algorithm store, of a collaboration as above. */
async function newStore(world: World, place: Place): Promise<number> {
  return await create(world, "/algorithmstore", {
    name: world.name(),
    algorithm_store_url: storeUrl(world),
    server_url,
    force: true,
    collaboration_id: await collaboration(world, place),
  });
}

testTable("collaboration", [
  { route: "GET /openapi.json", open: 200 },

  // -- collaborations
  {
    route: "GET /collaboration",
    request: ({ organizations }, place) => ({
      path: `/collaboration?organization_id=${organizations[place]}`,
    }),
    expect: { Root: YES, "a container": NO, "*": OWN },
  },
  {
    route: "POST /collaboration",
    request: ({ organizations, name }, place) => ({
      path: "/collaboration",
      body: { name: name(), organization_ids: [organizations[place]], encrypted: false },
    }),
    expect: { Root: YES, "*": NO },
  },
  {
    route: "GET /collaboration/:id",
    request: async (world, place) => ({
      path: `/collaboration/${await collaboration(world, place)}`,
    }),
    expect: { Root: YES, "a node, a container": OWN, "*": SHARED },
  },
  {
    route: "GET /collaboration/:id/payload_formats",
    request: async (world, place) => ({
      path: `/collaboration/${await collaboration(world, place)}/payload_formats`,
    }),
    expect: { Root: YES, "a node, a container": OWN, "*": SHARED },
  },
  {
    route: "PATCH /collaboration/:id",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, place)}`,
      body: { name: world.name() },
    }),
    expect: EDITORS,
  },
  {
    route: "PATCH /collaboration/:id",
    about: "its organizations",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, place)}`,
      body: { organization_ids: [world.organizations.own] },
    }),
    expect: { Root: YES, "*": NO },
  },
  {
    route: "DELETE /collaboration/:id",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, place)}?delete_dependents=True`,
    }),
    expect: { Root: YES, "*": NO },
  },
  {
    route: "POST /collaboration/:id/organization",
    about: "by collaboration",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, place)}/organization`,
      body: { id: world.organizations.same },
    }),
    expect: EDITORS,
  },
  {
    // GHSA-99r4-cjp4-3hmx: nobody brings an organization under the rights they have in their
    // collaborations.
    route: "POST /collaboration/:id/organization",
    about: "by organization",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, "own")}/organization`,
      body: {
        id: place === "foreign" ? await world.newOrganization() : world.organizations[place],
      },
    }),
    expect: EDITORS,
  },
  {
    route: "DELETE /collaboration/:id/organization",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, place)}/organization`,
      body: { id: world.organizations[place] },
    }),
    expect: EDITORS,
  },
  {
    route: "POST /collaboration/:id/node",
    request: async (world, place) => ({
      path: `/collaboration/${await newCollaboration(world, "own")}/node`,
      body: { id: (await newNode(world, place)).id },
    }),
    // The foreign node's organization is no member.
    expect: { Root: "201 201 400", "Collaboration Admin": "201 201 401", "*": NO },
  },
  {
    route: "DELETE /collaboration/:id/node",
    async request(world, place) {
      const node = await newNode(world, place);
      return { path: `/collaboration/${node.in}/node`, body: { id: node.id } };
    },
    expect: EDITORS,
  },

  // -- studies
  {
    route: "GET /study",
    request: async (world, place) => ({
      path: `/study?collaboration_id=${await collaboration(world, place)}`,
    }),
    expect: { Root: YES, "a node, a container": OWN, "*": SHARED },
  },
  {
    route: "POST /study",
    request: async (world, place) => ({
      path: "/study",
      body: {
        name: world.name(),
        collaboration_id: await collaboration(world, place),
        organization_ids: [world.organizations[place]],
      },
    }),
    expect: CREATORS,
  },
  {
    route: "GET /study/:id",
    request: async (world, place) => ({ path: `/study/${await newStudy(world, place)}` }),
    expect: { Root: YES, "Collaboration Admin": SHARED, "*": OWN },
  },
  {
    route: "PATCH /study/:id",
    request: async (world, place) => ({
      path: `/study/${await newStudy(world, place)}`,
      body: { name: world.name() },
    }),
    expect: EDITORS,
  },
  {
    route: "DELETE /study/:id",
    request: async (world, place) => ({ path: `/study/${await newStudy(world, place)}` }),
    expect: EDITORS,
  },
  {
    route: "POST /study/:id/organization",
    request: async (world, place) => ({
      path: `/study/${await newStudy(world, place)}/organization`,
      body: { id: world.organizations[place] },
    }),
    expect: EDITORS,
  },
  {
    route: "DELETE /study/:id/organization",
    request: async (world, place) => ({
      path: `/study/${await newStudy(world, place)}/organization`,
      body: { id: world.organizations[place] },
    }),
    expect: EDITORS,
  },

  // -- nodes
  {
    route: "GET /node",
    request: ({ organizations }, place) => ({
      path: `/node?organization_id=${organizations[place]}`,
    }),
    expect: {
      Root: YES,
      [`${PEOPLE}, Collaboration Admin`]: SHARED,
      "node, container, a node": OWN,
      "a container": NO,
    },
  },
  {
    route: "POST /node",
    request: async (world, place) => ({
      path: "/node",
      body: {
        name: world.name(),
        organization_id: world.organizations[place],
        collaboration_id: await newCollaboration(world, place),
      },
    }),
    expect: { ...CREATORS, "Organization Admin": "201 401 401" },
  },
  {
    // The node's collaboration counts too, not only whether its organization shares one with the
    // caller's.
    route: "POST /node",
    about: "of an organization one works with, in a collaboration one is not in",
    async request(world) {
      const { same, foreign } = world.organizations;
      const collaboration_id = await create(world, "/collaboration", {
        name: world.name(),
        organization_ids: [same, foreign],
        encrypted: false,
      });
      const body = { name: world.name(), organization_id: same, collaboration_id };
      return { path: "/node", body };
    },
    expect: { Root: "201 201 201", "*": NO },
  },
  {
    route: "GET /node/:id",
    request: async (world, place) => ({ path: `/node/${await node(world, place)}` }),
    expect: {
      Root: YES,
      [`${PEOPLE}, Collaboration Admin`]: SHARED,
      "node, container, a node": OWN,
      "a container": NO,
    },
  },
  {
    route: "PATCH /node/:id",
    request: async (world, place) => ({
      path: `/node/${await node(world, place)}`,
      body: { name: world.name() },
    }),
    expect: {
      Root: YES,
      "Organization Admin, Collaboration Admin, node, a node": OWN,
      "*": NO,
    },
  },
  {
    route: "PUT /node/:id/metrics",
    request: async (world, place) => ({
      path: `/node/${await node(world, place)}/metrics`,
      body: METRICS,
    }),
    expect: { "a node": OWN, "*": NO },
  },
  {
    route: "GET /node/:id/metrics",
    async request(world, place) {
      const id = await node(world, place);
      await keepMetrics(world.hub.db.collaboration, id, METRICS);
      return { path: `/node/${id}/metrics` };
    },
    expect: {
      Root: YES,
      [`${PEOPLE}, Collaboration Admin`]: SHARED,
      "node, container, a node": OWN,
      "a container": NO,
    },
  },
  {
    route: "GET /metrics",
    request: () => ({ path: "/metrics" }),
    expect: { Root: YES, "*": NO },
  },
  {
    route: "PUT /node/:id/witness",
    request: async (world, place) => ({
      path: `/node/${await node(world, place)}/witness`,
      body: { text: "{}", key: `sha256:${"0".repeat(64)}`, signature: "" },
    }),
    expect: { "a node": OWN, "*": NO },
  },
  {
    route: "GET /node/:id/witness",
    request: async (world, place) => ({ path: `/node/${await node(world, place)}/witness` }),
    expect: { "a node": OWN, "*": NO },
  },
  {
    route: "PUT /node/:id/algorithms",
    request: async (world, place) => ({
      path: `/node/${await node(world, place)}/algorithms`,
      body: { algorithms: [TOLD] },
    }),
    expect: { "a node": OWN, "*": NO },
  },
  {
    route: "GET /algorithm",
    request: async (world, place) => ({
      path: `/algorithm?collaboration_id=${await collaboration(world, place)}`,
    }),
    expect: {
      Root: YES,
      [`${PEOPLE}, Collaboration Admin`]: SHARED,
      "*": NO,
    },
  },
  {
    route: "DELETE /node/:id",
    request: async (world, place) => ({ path: `/node/${(await newNode(world, place)).id}` }),
    expect: EDITORS,
  },
  {
    route: "POST /recover/node",
    request: async (world, place) => ({
      path: "/recover/node",
      body: { id: (await newNode(world, place)).id },
    }),
    expect: { Root: YES, "Organization Admin, Collaboration Admin, node": OWN, "*": NO },
  },

  // -- algorithm stores
  {
    route: "GET /algorithmstore",
    request: async (world, place) => ({
      path: `/algorithmstore?collaboration_id=${await collaboration(world, place)}`,
    }),
    expect: { Root: YES, "a node, a container": NO, "*": SHARED },
  },
  {
    route: "POST /algorithmstore",
    request: async (world, place) => ({
      path: "/algorithmstore",
      body: {
        name: world.name(),
        algorithm_store_url: storeUrl(world),
        server_url,
        force: true,
        collaboration_id: await collaboration(world, place),
      },
    }),
    expect: CREATORS,
  },
  {
    route: "POST /algorithmstore",
    about: "for all collaborations",
    request: (world) => ({
      path: "/algorithmstore",
      body: {
        name: world.name(),
        algorithm_store_url: storeUrl(world),
        server_url,
        force: true,
      },
    }),
    expect: { Root: "201 201 201", "*": NO },
  },
  {
    route: "GET /algorithmstore/:id",
    request: async (world, place) => ({ path: `/algorithmstore/${await newStore(world, place)}` }),
    expect: { Root: YES, "a node": OWN, "a container": NO, "*": SHARED },
  },
  {
    route: "PATCH /algorithmstore/:id",
    request: async (world, place) => ({
      path: `/algorithmstore/${await newStore(world, place)}`,
      body: { name: world.name() },
    }),
    expect: EDITORS,
  },
  {
    route: "DELETE /algorithmstore/:id",
    request: async (world, place) => ({
      path: `/algorithmstore/${await newStore(world, place)}?server_url=${server_url}`,
    }),
    expect: EDITORS,
  },
]);
