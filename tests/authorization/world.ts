/**
 * Where the authorization tables play: three organizations, of which two share a collaboration; in the first of them one
 * user of each default role, a node and a container.
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

  /** Nobody logs in as them: their tokens are signed here, and no time goes into hashes of passwords. */
  async function newUserOf(organization_id: number, roles: number[]): Promise<number> {
    const username = name();
    const email = `${username}@x.example`;
    const person = { username, email, password_hash: "", firstname: "F", lastname: "L" };
    const user = { ...person, organization_id };
    return (await insertUser(db.identity, user, { roles, rules: [] })).id;
  }
  const base = { jti: crypto.randomUUID(), type: "access", lifetimeSeconds: 3600 } as const;
  const tokens: Record<string, string> = {};
  const callers: Record<string, number> = {};
  for (const [index, role] of ROLES.entries()) {
    const sub = callers[role] = await newUserOf(organizations.own, [index + 1]);
    tokens[role] = await signToken(hub.keys.current(), { ...base, client_type: "user", sub });
  }
  const nodeId = await create("/node", {
    name: name(),
    organization_id: organizations.own,
    collaboration_id: shared,
  });
  tokens["a node"] = await signToken(hub.keys.current(), {
    ...base,
    client_type: "node",
    sub: nodeId,
  });
  tokens["a container"] = await signToken(hub.keys.current(), {
    ...base,
    client_type: "container",
    sub: {
      client_type: "container",
      node_id: nodeId,
      organization_id: organizations.own,
      collaboration_id: shared,
      study_id: null,
      store_id: null,
      task_id: 1,
      image: "deno:mean@1",
      databases: [],
    },
  });

  return {
    hub,
    organizations,
    collaborations,
    tokens,
    callers,
    nodeId,
    newOrganization,
    name,
    newUser: (place) => newUserOf(organizations[place], []),
    async newRole(place) {
      const role = { name: name(), description: "", organization_id: organizations[place] };
      return (await insertRole(db.identity, role, [])).id;
    },
  };
}
