/**
 * The collaboration service for tests, with everything real around it: Postgres, NATS, and what
 * identity and task answer, each from a database of its own. One for all tests of a file; each test
 * makes its own organizations.
 * @module
 */
import { collaborationAnswers } from "../../services/collaboration/answers.ts";
import type { CollaborationDeps } from "../../services/collaboration/deps.ts";
import { membershipsOf } from "../../services/collaboration/store/collaboration.ts";
import { DEFAULT_ROLES } from "../../services/identity/rights/catalogue.ts";
import { type HubService, subjects } from "../../shared/broker/subjects.ts";
import type { Principal } from "../../shared/contract/permissions.ts";
import { createHttpClient } from "../../shared/http_over_nats/mod.ts";
import { parseEvent, type SextantEvent } from "../../shared/messages/events.ts";
import type { Db } from "../../shared/storage/db.ts";
import { type OwnNats, startOwnNats, startTestNats, type TestNats } from "./nats.ts";
import {
  type OwnPostgres,
  startOwnPostgres,
  startTestPostgres,
  type TestPostgres,
} from "./postgres.ts";
import { NEVER_MS, startTestServices } from "./services.ts";

export type RoleName =
  | "Root"
  | "container"
  | "node"
  | "Viewer"
  | "Researcher"
  | "Organization Admin"
  | "Collaboration Admin";

export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- tests look into answers of every shape
  body: any;
  headers: Headers;
}

export interface CallOptions {
  as?: Principal | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface CollaborationUnderTest {
  postgres: TestPostgres;
  nats: TestNats;
  dbs: Record<HubService, Db>;
  deps: CollaborationDeps;
  /** Every event told since the start, in order. */
  events: SextantEvent[];
  /** One request; the path without `/api`. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A new organization; returns its id. */
  organization(name?: string): Promise<number>;
  /** A new collaboration of these organizations. */
  collaboration(organizations: number[]): Promise<number>;
  study(collaboration: number, organizations: number[]): Promise<number>;
  node(organization: number, collaboration: number): Promise<{ id: number; api_key: string }>;
  task(place: { collaboration: number; study?: number; organization: number }): Promise<number>;
  /** A caller with a default role, as the gateway would resolve them now. */
  principal(role: RoleName, organization: number): Promise<Principal>;
  /** A node, or its container, as the gateway would resolve it now. */
  machine(kind: "node" | "container", node: number): Promise<Principal>;
  /** Somebody who may do everything. */
  root(): Promise<Principal>;
  stop(): Promise<void>;
}

/** The same over servers of its own, which a test may kill. */
export interface KillableCollaboration extends CollaborationUnderTest {
  postgres: OwnPostgres;
  nats: OwnNats;
}

async function startCollaboration<Servers extends { postgres: TestPostgres; nats: TestNats }>(
  servers: Servers,
): Promise<CollaborationUnderTest & Servers> {
  const { postgres, nats } = servers;
  const services = await startTestServices({
    postgres,
    nats,
    collaboration: {
      serverUrl: undefined,
      // What presence does is tested with watchers of the test's own.
      presence: {
        graceMs: NEVER_MS,
        settleMs: NEVER_MS,
        compareEveryMs: NEVER_MS,
        listEveryMs: NEVER_MS,
      },
    },
  });
  const { db: dbs } = services;
  const { deps } = services.collaboration;
  const http = createHttpClient({ nc: (await nats.service("gateway")).nc });
  const events: SextantEvent[] = [];
  const { nc } = await nats.service("task");
  nc.subscribe(subjects.allEvents(), {
    callback(_, message) {
      const event = parseEvent(message.subject, message.data);
      if (event) events.push(event);
    },
  });
  await nc.flush();

  let made = 0;
  const fresh = (what: string) => `${what} ${++made}`;
  const rulesOf = (role: RoleName) => DEFAULT_ROLES.find((one) => one.name === role)!.rules;

  async function call(
    method: string,
    path: string,
    { as, body, headers = {} }: CallOptions = {},
  ): Promise<Answer> {
    const request = new Request(`http://hub/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await http.request("collaboration", request, {
      requestId: crypto.randomUUID(),
      ...(as ? { principal: as } : {}),
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  }

  async function make(path: string, body: unknown): Promise<{ id: number; api_key: string }> {
    const answer = await call("POST", path, { as: await root(), body });
    if (answer.status > 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async function root(): Promise<Principal> {
    return await principal("Root", 0);
  }

  async function principal(role: RoleName, organization: number): Promise<Principal> {
    return {
      kind: "user",
      id: 1,
      username: role,
      session_id: crypto.randomUUID(),
      organization_id: organization,
      rules: [...rulesOf(role)],
      collaborations: await membershipsOf(dbs.collaboration, organization),
    };
  }

  return {
    ...servers,
    dbs,
    deps,
    events,
    call,
    principal,
    root,
    async organization(name = fresh("Organization")) {
      const [row] = await dbs.identity<{ id: number }[]>`
        insert into organization (name) values (${name}) returning id`;
      return row!.id;
    },
    async collaboration(organization_ids) {
      const name = fresh("Collaboration");
      return (await make("/collaboration", { name, organization_ids, encrypted: false })).id;
    },
    async study(collaboration_id, organization_ids) {
      return (await make("/study", { name: fresh("Study"), collaboration_id, organization_ids }))
        .id;
    },
    node: (organization_id, collaboration_id) =>
      make("/node", { name: fresh("Node"), organization_id, collaboration_id }),
    async task({ collaboration, study, organization }) {
      const [row] = await dbs.task<{ id: number }[]>`
        insert into task (name, description, image, job_id, collaboration_id, study_id, init_org_id,
          init_user_id)
        values ('a task', '', 'image', 1, ${collaboration}, ${study ?? null}, ${organization}, 1)
        returning id`;
      return row!.id;
    },
    async machine(kind, node) {
      const answers = collaborationAnswers(deps);
      const { id, organization_id, collaboration_id } =
        (await answers.node({ id: node, seen: true }))!;
      const all = await membershipsOf(dbs.collaboration, organization_id);
      const base = {
        id,
        organization_id,
        collaboration_id,
        rules: [...rulesOf(kind)],
        collaborations: all.filter((one) => one.id === collaboration_id),
      };
      return kind === "node"
        ? { kind, ...base }
        : { kind, ...base, study_id: null, task_id: 1, job_id: 1, image: "image" };
    },
    async stop() {
      http.close();
      await services.stop();
      await nats.stop();
      await postgres.stop();
    },
  };
}

/** One for all tests of the file that calls this at its top. */
export function useCollaboration(): CollaborationUnderTest {
  return useStarted(async () => {
    const [postgres, nats] = await Promise.all([startTestPostgres(), startTestNats()]);
    return await startCollaboration({ postgres, nats });
  });
}

/** The same for a file that kills the servers below. */
export function useKillableCollaboration(): KillableCollaboration {
  return useStarted(async () => {
    const [postgres, nats] = await Promise.all([startOwnPostgres(), startOwnNats()]);
    return await startCollaboration({ postgres, nats });
  });
}

function useStarted<Started extends CollaborationUnderTest>(
  start: () => Promise<Started>,
): Started {
  let running: Started | undefined;
  Deno.test.beforeAll(async () => {
    running = await start();
  });
  Deno.test.afterAll(() => running?.stop());
  return new Proxy({} as Started, {
    get(_, name) {
      if (!running) {
        throw new Error("Cannot use the service before the tests of this file have begun");
      }
      return running[name as keyof Started];
    },
  });
}
