/**
 * Where the authorization tables play: three organizations, of which two share a collaboration; in
 * the first of them one user of each default role, a node and a container.
 * @module
 */
import { DEFAULT_ROLES } from "../../services/identity/rights/catalogue.ts";
import { insertRole } from "../../services/identity/store/role.ts";
import { insertUser } from "../../services/identity/store/user.ts";
import { signToken } from "../../shared/contract/tokens.ts";
import { startTestHub, type TestHub } from "../support/hub.ts";

/** Where the object of a request is, as its caller sees it. */
export const PLACES = ["own", "same", "foreign"] as const;
export type Place = typeof PLACES[number];

/** Users who have one default role each. */
export const ROLES = DEFAULT_ROLES.map(({ name }) => name);
/** Who calls: a user by their role, or a machine. */
export const CALLERS = [...ROLES, "a node", "a container"];

/** What the container runs. */
export const CONTAINER_IMAGE = "deno:mean@1";

export interface World {
  hub: TestHub;
  /** own: the callers'; same: shares a collaboration with it; foreign: does not. */
  organizations: Record<Place, number>;
  /** own and same: the one both are in; foreign: one that only the foreign organization is in. */
  collaborations: Record<Place, number>;
  /** Access tokens by caller. */
  tokens: Record<string, string>;
  /** Ids of the users by their role. */
  callers: Record<string, number>;
  /** The callers' node, in the shared collaboration. */
  nodeId: number;
  /** Puts new tokens of the callers' node in place of those it has lost. */
  signNodeIn(): Promise<void>;
  /**
   * The task and result that the container is of. Each call makes new ones, and the token of them.
   */
  container: { task: number; result: number };
  newContainer(): Promise<void>;
  /** A user of the callers' organization with one default role, and their token. */
  newCaller(role: string): Promise<{ id: number; token: string }>;
  /** A new object of its kind, at a place. */
  newOrganization(): Promise<number>;
  newUser(place: Place): Promise<number>;
  newRole(place: Place): Promise<number>;
  /** A name that nothing has yet. */
  name(): string;
}

export async function createWorld(): Promise<World> {
  const hub = await startTestHub();
  const { call, root, db } = hub;
  let serial = 0;
  const name = () => `thing-${++serial}`;

  async function create(path: string, body: unknown): Promise<number> {
    const answer = await call("POST", path, { token: root, body });
    if (answer.status > 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }
  const newOrganization = () => create("/organization", { name: name() });
  const organizations = {
    own: await newOrganization(),
    same: await newOrganization(),
    foreign: await newOrganization(),
  };
  const newCollaboration = (organization_ids: number[]) =>
    create("/collaboration", { name: name(), organization_ids, encrypted: false });
  const shared = await newCollaboration([organizations.own, organizations.same]);
  const alone = await newCollaboration([organizations.foreign]);
  const collaborations = { own: shared, same: shared, foreign: alone };

  /**
   * Nobody logs in as them: their tokens are signed here, and no time goes into hashes of
   * passwords.
   */
  async function newUserOf(organization_id: number, roles: number[]): Promise<number> {
    const username = name();
    const email = `${username}@x.example`;
    const person = { username, email, password_hash: "", firstname: "F", lastname: "L" };
    const user = { ...person, organization_id };
    return (await insertUser(db.identity, user, { roles, rules: [] })).id;
  }
  async function newCaller(role: string): Promise<{ id: number; token: string }> {
    const id = await newUserOf(organizations.own, [ROLES.indexOf(role) + 1]);
    return { id, token: await hub.signIn({ type: "user", id }) };
  }
  const tokens: Record<string, string> = {};
  const callers: Record<string, number> = {};
  for (const role of ROLES) {
    const { id, token } = await newCaller(role);
    callers[role] = id;
    tokens[role] = token;
  }
  const nodeId = await create("/node", {
    name: name(),
    organization_id: organizations.own,
    collaboration_id: shared,
  });
  async function signNodeIn(): Promise<void> {
    tokens["a node"] = await hub.signIn({ type: "node", id: nodeId });
  }

  const container = { task: 0, result: 0 };
  async function newContainer(): Promise<void> {
    const grant = {
      organization_id: organizations.own,
      collaboration_id: shared,
      study_id: null,
      image: CONTAINER_IMAGE,
    };
    const { organization_id, ...place } = grant;
    const task = {
      ...place,
      name: "",
      description: "",
      job_id: 1_000_000,
      init_org_id: organizations.own,
      init_user_id: 1_000_000,
    };
    const [made] = await db.task<{ id: number }[]>`
      insert into task ${db.task(task)} returning id`;
    const share = { task_id: made!.id, organization_id, node_id: nodeId, input: "" };
    const [result] = await db.task<{ id: number }[]>`
      insert into result ${db.task(share)} returning id`;
    Object.assign(container, { task: made!.id, result: result!.id });
    const [node] = await db.collaboration<{ key_generation: number }[]>`
      select key_generation from node where id = ${nodeId}`;
    tokens["a container"] = await signToken(hub.keys.current(), {
      jti: crypto.randomUUID(),
      type: "access",
      client_type: "container",
      result_id: container.result,
      attempt: 1,
      key_generation: node!.key_generation,
      sub: {
        ...grant,
        client_type: "container",
        node_id: nodeId,
        store_id: null,
        task_id: container.task,
        databases: [],
      },
    });
  }
  await signNodeIn();
  await newContainer();

  return {
    hub,
    organizations,
    collaborations,
    tokens,
    callers,
    nodeId,
    signNodeIn,
    container,
    newContainer,
    newCaller,
    newOrganization,
    name,
    newUser: (place) => newUserOf(organizations[place], []),
    async newRole(place) {
      const role = { name: name(), description: "", organization_id: organizations[place] };
      return (await insertRole(db.identity, role, [])).id;
    },
  };
}
