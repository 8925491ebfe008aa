import { testTable } from "./table.ts";
import { CONTAINER_IMAGE, type Place, type World } from "./world.ts";

const YES = "200 200 200";
const NO = "401 401 401";
const OWN = "200 401 401";
const SHARED = "200 200 401";
/** Whoever views the tasks of their collaborations: every role has that right. */
const VIEWERS = { Root: YES, "*": SHARED };
/** Even Root posts tasks only where their organization is a member. */
const CREATORS = "Root, Researcher, Collaboration Admin";

/** The node of the organization at a place, in the collaboration there; made when it is missing. */
async function nodeAt(world: World, place: Place): Promise<number> {
  const { organizations, collaborations, hub } = world;
  const at = { organization_id: organizations[place], collaboration_id: collaborations[place] };
  const db = hub.db.collaboration;
  await db`
    insert into node ${db({ ...at, name: world.name(), api_key_sha256: world.name() })}
    on conflict on constraint node_place_unique do nothing`;
  await db`update node set status = 'online'`;
  const [row] = await db<{ id: number }[]>`
    select id from node where organization_id = ${at.organization_id}
      and collaboration_id = ${at.collaboration_id}`;
  return row!.id;
}

interface Made {
  task: number;
  run: number;
}

/**
 * A task that the organization at a place has started for itself; none of the callers created it.
 */
async function newTask(world: World, place: Place): Promise<Made> {
  const db = world.hub.db.task;
  const [task] = await db<{ id: number }[]>`
    insert into task ${
    db({
      name: "",
      description: "",
      image: CONTAINER_IMAGE,
      job_id: 1_000_000,
      collaboration_id: world.collaborations[place],
      init_org_id: world.organizations[place],
      init_user_id: 1_000_000,
    })
  } returning id`;
  const [run] = await db<{ id: number }[]>`
    insert into result ${
    db({
      task_id: task!.id,
      organization_id: world.organizations[place],
      node_id: await nodeAt(world, place),
      input: "",
    })
  } returning id`;
  return { task: task!.id, run: run!.id };
}

/** A complete blob of a caller, or of a result. */
async function newBlob(
  world: World,
  values: { owner: string; result_id?: number },
): Promise<string> {
  const db = world.hub.db.task;
  const id = crypto.randomUUID();
  await db`
    insert into blob ${
    db({
      id,
      organization_id: world.organizations.own,
      size: 1,
      sha256: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
      ...values,
    })
  }`;
  await db`insert into blob_chunk values (${id}, 0, ${new Uint8Array([0x31])})`;
  return id;
}

function ownerOf(world: World, caller: string): string {
  if (caller === "a node") return `node:${world.nodeId}`;
  if (caller === "a container") return `container:${world.nodeId}:${world.container.task}`;
  return `user:${world.callers[caller]}`;
}

/** What a task at a place is posted with; this server wants its inputs uploaded. */
async function recipients(world: World, place: Place, caller: string) {
  await nodeAt(world, place);
  return {
    collaboration_id: world.collaborations[place],
    organizations: [{
      id: world.organizations[place],
      input: await newBlob(world, { owner: ownerOf(world, caller) }),
    }],
  };
}

testTable("task", [
  { route: "GET /openapi.json", open: 200 },

  // -- tasks
  {
    route: "GET /task",
    request: ({ organizations }, place) => ({ path: `/task?init_org_id=${organizations[place]}` }),
    expect: VIEWERS,
  },
  {
    route: "POST /task",
    request: async (world, place, caller) => ({
      path: "/task",
      body: { image: CONTAINER_IMAGE, ...await recipients(world, place, caller) },
    }),
    expect: { [`${CREATORS}, a container`]: "201 201 401", "*": NO },
  },
  {
    route: "GET /task/:id",
    request: async (world, place) => ({ path: `/task/${(await newTask(world, place)).task}` }),
    expect: VIEWERS,
  },
  {
    route: "GET /task/:id/status",
    request: async (world, place) => ({
      path: `/task/${(await newTask(world, place)).task}/status`,
    }),
    expect: { ...VIEWERS, "a node": NO },
  },
  {
    route: "DELETE /task/:id",
    request: async (world, place) => ({ path: `/task/${(await newTask(world, place)).task}` }),
    expect: { Root: YES, "Researcher, Collaboration Admin": OWN, "*": NO },
  },
  {
    route: "POST /column",
    request: async (world, place, caller) => ({
      path: "/column",
      body: { db_label: "default", ...await recipients(world, place, caller) },
    }),
    expect: { [CREATORS]: "201 201 401", "*": NO },
  },

  // -- runs and results
  {
    route: "GET /run",
    request: ({ organizations }, place) => ({
      path: `/run?organization_id=${organizations[place]}`,
    }),
    expect: VIEWERS,
  },
  {
    route: "GET /run/:id",
    request: async (world, place) => ({ path: `/run/${(await newTask(world, place)).run}` }),
    expect: VIEWERS,
  },
  {
    route: "PATCH /run/:id",
    request: async (world, place) => ({
      path: `/run/${(await newTask(world, place)).run}`,
      body: { status: "active" },
    }),
    expect: { "a node": OWN, "*": NO },
  },
  {
    route: "GET /result",
    request: ({ organizations }, place) => ({
      path: `/result?organization_id=${organizations[place]}`,
    }),
    expect: VIEWERS,
  },
  {
    route: "GET /result/:id",
    request: async (world, place) => ({ path: `/result/${(await newTask(world, place)).run}` }),
    expect: VIEWERS,
  },

  // -- kill
  {
    route: "POST /kill/task",
    request: async (world, place) => ({
      path: "/kill/task",
      body: { id: (await newTask(world, place)).task },
    }),
    expect: { Root: YES, "Collaboration Admin": SHARED, "*": NO },
  },
  {
    route: "POST /kill/node/tasks",
    request: async (world, place) => ({
      path: "/kill/node/tasks",
      body: { id: await nodeAt(world, place) },
    }),
    expect: { Root: YES, "Collaboration Admin": SHARED, "Organization Admin": OWN, "*": NO },
  },

  // -- payloads and ports
  {
    route: "GET /blobstream/status",
    request: () => ({ path: "/blobstream/status" }),
    expect: { "*": YES },
  },
  {
    route: "POST /blobstream",
    request: () => ({ path: "/blobstream", body: "payload" }),
    expect: {
      [`${CREATORS}, a node, a container`]: "201 201 201",
      "*": NO,
    },
  },
  {
    route: "GET /blobstream/:id",
    request: async (world, place) => {
      const { run } = await newTask(world, place);
      return { path: `/blobstream/${await newBlob(world, { owner: "user:0", result_id: run })}` };
    },
    expect: VIEWERS,
  },
  {
    route: "POST /port",
    request: async (world, place) => ({
      path: "/port",
      body: { port: 80, run_id: (await newTask(world, place)).run },
    }),
    expect: { "a node": "201 401 401", "*": NO },
  },
  {
    route: "DELETE /port",
    request: async (world, place) => ({
      path: `/port?run_id=${(await newTask(world, place)).run}`,
    }),
    expect: { "a node": OWN, "*": NO },
  },
]);
