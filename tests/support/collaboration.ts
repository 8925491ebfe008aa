/**
 * The collaboration service for tests, with everything real around it: Postgres, NATS, and what
 * identity and task answer, each from a database of its own. One for all tests of a file; each test
 * makes its own organizations.
 * @module
 */
import { newUserKey } from "../../shared/broker/signing.ts";
import { createAsk, serveAnswers } from "../../shared/messages/ask.ts";
import { type Db, migrate, openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { parseEvent, type SextantEvent } from "../../shared/messages/events.ts";
import type { Principal } from "../../shared/contract/permissions.ts";
import { HUB_SERVICES, type HubService, subjects } from "../../shared/broker/subjects.ts";
import { createCollaborationApp } from "../../services/collaboration/app.ts";
import type { CollaborationDeps } from "../../services/collaboration/deps.ts";
import { collaborationAnswers } from "../../services/collaboration/answers.ts";
import { membershipsOf } from "../../services/collaboration/store/collaboration.ts";
import { createBrokerDesk } from "../../services/identity/broker/credentials.ts";
import type { IdentityDeps } from "../../services/identity/deps.ts";
import { DEFAULT_ROLES } from "../../services/identity/rights/catalogue.ts";
import { identityAnswers } from "../../services/identity/answers.ts";
import type { TaskDeps } from "../../services/task/deps.ts";
import { taskAnswers } from "../../services/task/answers.ts";
import { startTestPostgres, type TestPostgres } from "../harness.ts";
import { startTestNats, type TestNats } from "./nats.ts";

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

export async function startCollaboration(): Promise<CollaborationUnderTest> {
  const log = silentLogger;
  const postgres = await startTestPostgres();
  const nats = await startTestNats();
  const urls = await postgres.newDatabases();
  const dbs = {} as Record<HubService, Db>;
  for (const service of HUB_SERVICES) {
    dbs[service] = openDatabase(urls[service], { schema: service, log, max: 4 });
    const folder = new URL(`../../services/${service}/schema/`, import.meta.url);
    await migrate(dbs[service], folder, log);
  }
  const [identity, collaboration, task] = await Promise.all(
    HUB_SERVICES.map((service) => nats.service(service)),
  );
  const now = () => new Date();
  const broker = createBrokerDesk({
    db: dbs.identity,
    trust: nats.trust,
    system: (await nats.system("identity")).nc,
    nodeNatsUrl: nats.url,
    dispatchKeys: [newUserKey().publicKey],
    credentialSeconds: 3600,
    now,
  });
  const outbox = await createEventOutbox({
    db: dbs.collaboration,
    nc: collaboration!.nc,
    service: "collaboration",
    log,
  });
  const deps: CollaborationDeps = {
    db: dbs.collaboration,
    outbox,
    ask: createAsk(collaboration!.nc),
    log,
  };
  const identityDeps = { db: dbs.identity, broker, now, log } as unknown as IdentityDeps;
  const taskDeps = { db: dbs.task, log } as unknown as TaskDeps;
  const answering = [
    serveAnswers(identity!.nc, "identity", identityAnswers(identityDeps), log),
    serveAnswers(collaboration!.nc, "collaboration", collaborationAnswers(deps), log),
    serveAnswers(task!.nc, "task", taskAnswers(taskDeps), log),
  ];
  const events: SextantEvent[] = [];
  task!.nc.subscribe(subjects.allEvents(), {
    callback(_, message) {
      const event = parseEvent(message.subject, message.data);
      if (event) events.push(event);
    },
  });
  await Promise.all([identity!.nc.flush(), collaboration!.nc.flush(), task!.nc.flush()]);

  const app = createCollaborationApp(deps);
  let made = 0;
  const fresh = (what: string) => `${what} ${++made}`;
  const rulesOf = (role: RoleName) => DEFAULT_ROLES.find((one) => one.name === role)!.rules;

  async function call(
    method: string,
    path: string,
    { as, body, headers = {} }: CallOptions = {},
  ): Promise<Answer> {
    const response = await app.request(`/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }, { principal: as, requestId: crypto.randomUUID() });
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
      organization_id: organization,
      rules: [...rulesOf(role)],
      collaborations: await membershipsOf(dbs.collaboration, organization),
    };
  }

  return {
    postgres,
    nats,
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
        : { kind, ...base, study_id: null, task_id: 1, image: "image" };
    },
    async stop() {
      await Promise.all(answering.map((one) => one.stop()));
      await outbox.stop();
      await nats.stop();
      await Promise.all(Object.values(dbs).map((db) => db.end({ timeout: 5 })));
      await postgres.stop();
    },
  };
}

/** One for all tests of the file that calls this at its top. */
export function useCollaboration(): CollaborationUnderTest {
  let running: CollaborationUnderTest | undefined;
  Deno.test.beforeAll(async () => {
    running = await startCollaboration();
  });
  Deno.test.afterAll(() => running?.stop());
  return new Proxy({} as CollaborationUnderTest, {
    get(_, name) {
      if (!running) {
        throw new Error("Cannot use the service before the tests of this file have begun");
      }
      return running[name as keyof CollaborationUnderTest];
    },
  });
}
