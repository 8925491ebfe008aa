/**
 * Who takes part in a whole-system test: organizations with data and a node each, in one
 * collaboration, and a researcher of the first. Made through the API, as an administrator would.
 * @module
 */
import { join } from "node:path";
import { stringify } from "yaml";
import {
  type ApiClient,
  createApiClient,
  decodeResult,
  encodeInput,
  type Json,
} from "./support/api.ts";
import { type TestStack, waitFor } from "./harness.ts";
import { isOpen } from "../shared/node_protocol/status.ts";

export { decodeResult, encodeInput, type Json };

/** The algorithms that tests bring along: slow ones, failing ones, ones that leave a trace. */
const TEST_ALGORITHMS = new URL("./algorithms", import.meta.url).pathname;
const OWN_ALGORITHMS = new URL("../services/node/algorithms", import.meta.url).pathname;

export interface Member {
  id: number;
  name: string;
  nodeId: number;
  /** The node's name for `stack.addNode` and, as `node <name>`, for `stack.part`. */
  node: string;
  config: string;
}

export interface Site {
  admin: ApiClient;
  researcher: ApiClient;
  /** The researcher's log-in. */
  login: { username: string; password: string };
  collaborationId: number;
  members: Member[];
  /** Starts the node of a member and waits until the hub sees it. */
  startNode(member: Member): Promise<void>;
  /** Posts a task and returns it. */
  post(task: NewTask): Promise<Json>;
  /** Waits until a task is over; returns its results, decoded, and its runs by organization. */
  outcome(
    taskId: number,
    timeout?: number,
  ): Promise<{ status: string; runs: Json[]; results: Json[] }>;
}

export interface NewTask {
  image: string;
  method: string;
  kwargs?: Record<string, unknown>;
  /** Members that get a share; the first alone unless given. */
  members?: Member[];
  /** Labels; `default` unless given. */
  databases?: string[];
}

export interface SiteOptions {
  /** The members' data, one CSV text each; as many organizations as there are texts. */
  data: string[];
  /** Further options of the nodes' configuration. */
  node?: Record<string, unknown> | ((index: number) => Record<string, unknown>);
  encrypted?: boolean;
}

let sites = 0;

export async function createSite(
  stack: TestStack,
  { data, node = {}, encrypted = false }: SiteOptions,
): Promise<Site> {
  const { username, password } = await stack.adminCredentials();
  const admin = await createApiClient(stack.gatewayUrl).login(username, password);
  const tag = `s${++sites}`;
  const organizations: Json[] = [];
  for (const index of data.keys()) {
    organizations.push(await admin.post("/organization", { name: `Clinic ${tag} ${index + 1}` }));
  }
  const collaboration = await admin.post("/collaboration", {
    name: `Collaboration ${tag}`,
    encrypted,
    organization_ids: organizations.map((one) => one.id),
  });
  const members: Member[] = [];
  for (const [index, organization] of organizations.entries()) {
    members.push(
      await createMember(admin, stack, {
        organization,
        collaboration,
        csv: data[index]!,
        tag,
        node: typeof node === "function" ? node(index) : node,
      }),
    );
  }
  const login = { username: `researcher-${tag}`, password: "Sx1-correct-horse" };
  const [role] = (await admin.get("/role?name=Researcher")).data;
  await admin.post("/user", {
    ...login,
    firstname: "R",
    lastname: "S",
    email: `${tag}@clinic.example`,
    organization_id: organizations[0]!.id,
    roles: [role.id],
  });
  const researcher = await createApiClient(stack.gatewayUrl).login(login.username, login.password);

  return {
    admin,
    researcher,
    login,
    collaborationId: collaboration.id,
    members,
    async startNode(member) {
      await stack.addNode(member.node, member.config);
      await waitFor(
        async () => (await admin.get(`/node/${member.nodeId}`)).status === "online",
        { what: `node ${member.node} to be online`, timeout: 30_000 },
      );
    },
    post: (
      { image, method, kwargs = {}, members: chosen = [members[0]!], databases = ["default"] },
    ) =>
      researcher.post("/task", {
        name: method,
        image,
        collaboration_id: collaboration.id,
        organizations: chosen.map(({ id }) => ({ id, input: encodeInput({ method, kwargs }) })),
        databases: databases.map((label) => ({ label })),
      }),
    async outcome(taskId, timeout = 60_000) {
      const status = await waitFor(async () => {
        const { status } = await researcher.get(`/task/${taskId}/status?wait=1`);
        return isOpen(status) ? undefined : status as string;
      }, { what: `task ${taskId} to end`, timeout });
      const runs = (await researcher.get(`/run?task_id=${taskId}&sort=id`)).data;
      const payloads: Json[] = (await researcher.get(`/result?task_id=${taskId}&sort=id`)).data;
      const results = await Promise.all(payloads.map(async ({ result, blob_storage_used }) => {
        if (!result) return null;
        if (!blob_storage_used) return decodeResult(result);
        const blob = await researcher.request("GET", `/blobstream/${result}`);
        return decodeResult(await blob.text());
      }));
      return { status, runs, results };
    },
  };
}

async function createMember(
  admin: ApiClient,
  stack: TestStack,
  { organization, collaboration, csv, tag, node }: {
    organization: Json;
    collaboration: Json;
    csv: string;
    tag: string;
    node: Record<string, unknown>;
  },
): Promise<Member> {
  const created = await admin.post("/node", {
    organization_id: organization.id,
    collaboration_id: collaboration.id,
  });
  const name = `${tag}-${organization.id}`;
  const folder = join(stack.folder, "sites", name);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "data.csv"), csv);
  const { protocol, hostname, port } = new URL(stack.gatewayUrl);
  const config = join(folder, "node.yaml");
  await Deno.writeTextFile(
    config,
    stringify({
      api_key: created.api_key,
      server_url: `${protocol}//${hostname}`,
      port: Number(port),
      databases: [{ label: "default", uri: "data.csv", type: "csv" }],
      algorithm_folders: [OWN_ALGORITHMS, TEST_ALGORITHMS],
      // To pack it takes seconds.
      algorithm_library: false,
      ...node,
    }),
  );
  return { id: organization.id, name: organization.name, nodeId: created.id, node: name, config };
}
