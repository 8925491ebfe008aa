/**
 * The task service in this process, over a real Postgres and a real broker, with the answers of the real other
 * services. Reports come straight from the test, as if the desk had proved their sender.
 */
import assert from "node:assert/strict";
import { identityAnswers } from "../../services/identity/answers.ts";
import { DEFAULT_ROLES } from "../../services/identity/rights/catalogue.ts";
import { collaborationAnswers } from "../../services/collaboration/answers.ts";
import { createTaskApp } from "../../services/task/app.ts";
import type { TaskDeps, TaskSettings } from "../../services/task/deps.ts";
import {
  createDispatchStreams,
  type DispatchStreams,
} from "../../services/task/dispatch/streams.ts";
import { taskAnswers } from "../../services/task/answers.ts";
import { createKills } from "../../services/task/dispatch/kills.ts";
import { createReconciler, type Reconciler } from "../../services/task/upkeep/reconciler.ts";
import { createReports } from "../../services/task/reports/reports.ts";
import type { ReportBody } from "../../shared/node_protocol/reports.ts";
import { createTaskWatch } from "../../services/task/task_watch.ts";
import { type Db, migrate, openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { checkAnswers } from "../../shared/contract/answers.ts";
import type { Principal } from "../../shared/contract/permissions.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import { type BrokerConnection, newHeaders } from "../../shared/broker/connection.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { signAsHub } from "../../shared/node_protocol/hub_signature.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { type TestPostgres, useTestPostgres } from "../harness.ts";
import { startTestNats, type TestNats } from "./nats.ts";

export interface Member {
  organization: number;
  node: number;
}

/** A collaboration with its members, each with a node. */
export interface Place {
  collaboration: number;
  members: Member[];
}

export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any
  body: any;
  headers: Headers;
}

export interface TaskHub {
  deps: TaskDeps;
  db: Db;
  nats: TestNats;
  nc: BrokerConnection;
  streams: DispatchStreams;
  reconciler: Reconciler;
  /** What the hub signs with. */
  dispatchKey: string;
  collaborationDb: Db;
  identityDb: Db;
  /** A new collaboration of new organizations. */
  place(members: number, options?: { encrypted?: boolean }): Promise<Place>;
  /** A new user with a default role, or with exactly these rules. */
  user(place: Place, member?: number, rules?: string | string[]): Promise<Principal>;
  node(place: Place, member?: number): Principal;
  container(place: Place, member: number, task: { id: number; image: string }): Principal;
  call(
    principal: Principal,
    request: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** A task for all members, or those given, as `user` posts it. */
  // deno-lint-ignore no-explicit-any
  post(user: Principal, place: Place, extra?: Record<string, unknown>): Promise<any>;
  stop(): Promise<void>;
}

export const PLAIN_INPUT = btoa('{"method": "average"}');

/** What algorithm stores know this hub by. */
const SERVER_URL = "https://hub.example/api";

export function rulesOfRole(name: string): string[] {
  return DEFAULT_ROLES.find((role) => role.name === name)!.rules;
}

export interface TaskHubOptions {
  postgres: TestPostgres;
  nats: TestNats;
  settings?: Partial<TaskSettings>;
  now?: () => Date;
  /** For another replica: the databases of the first. */
  urls?: Record<HubService, string>;
}

export async function startTaskHub(
  { postgres, nats, settings = {}, now = () => new Date(), urls }: TaskHubOptions,
): Promise<TaskHub> {
  checkAnswers();
  const log = silentLogger;
  const addresses = urls ?? await postgres.newDatabases();
  const open = (service: HubService) => openDatabase(addresses[service], { schema: service, log });
  const [db, collaborationDb, identityDb] = [open("task"), open("collaboration"), open("identity")];
  for (
    const [one, service] of [[db, "task"], [collaborationDb, "collaboration"], [
      identityDb,
      "identity",
    ]] as const
  ) {
    await migrate(one, new URL(`../../services/${service}/schema/`, import.meta.url), log);
  }
  const dispatchKey = newUserKey().seed;
  const { nc } = await nats.service("task");
  const streams = createDispatchStreams(() => nc.jetstreamManager());
  await streams.ensureStream();
  function signed(subject: string, payload: Uint8Array) {
    const headers = newHeaders();
    signAsHub(headers, dispatchKey, { subject, payload });
    return headers;
  }
  const outbox = await createEventOutbox({
    db,
    nc,
    service: `task-${crypto.randomUUID()}`,
    log,
    sign(subject, payload, headers) {
      if (!subject.startsWith("dispatch.")) return;
      signAsHub(headers, dispatchKey, { subject, payload });
    },
  });
  // deno-lint-ignore no-explicit-any
  const answers: Record<string, any> = {
    identity: identityAnswers({ db: identityDb, now } as never),
    collaboration: collaborationAnswers({ db: collaborationDb, serverUrl: SERVER_URL } as never),
  };
  const ask: Ask = (service, method, input) => answers[service][method](input);
  const kills = createKills({
    db,
    log,
    now,
    publish: (subject, payload) =>
      nc.publish(subject, payload, { headers: signed(subject, payload) }),
  });
  const deps: TaskDeps = {
    db,
    outbox,
    ask,
    reports: createReports({ db, outbox, streams, log, now }),
    kills,
    watch: createTaskWatch(),
    settings: {
      blobStoreEnabled: false,
      maxUnusedBytes: 2 ** 36,
      columnImage: "columns",
      ...settings,
    },
    now,
    log,
  };
  answers.task = taskAnswers(deps);
  const app = createTaskApp(deps);
  const reconciler = createReconciler({
    db,
    outbox,
    streams,
    kills,
    retention: { days: undefined, includeInput: false },
    log,
    now,
    everyMs: 1e9,
  });

  function membership({ collaboration, members }: Place) {
    return [{ id: collaboration, organization_ids: members.map((one) => one.organization) }];
  }
  async function call(
    principal: Principal,
    request: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const [method, path] = request.split(" ") as [string, string];
    const raw = body instanceof Uint8Array || body instanceof ReadableStream;
    const response = await app.request(`/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body as BodyInit : JSON.stringify(body) }),
    }, { principal, requestId: crypto.randomUUID() });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }

  return {
    deps,
    db,
    nats,
    nc,
    streams,
    reconciler,
    dispatchKey,
    collaborationDb,
    identityDb,
    async place(count, { encrypted = false } = {}) {
      const name = crypto.randomUUID();
      const [collaboration] = await collaborationDb<{ id: number }[]>`
        insert into collaboration ${collaborationDb({ name, encrypted })} returning id`;
      const members: Member[] = [];
      for (let n = 0; n < count; n++) {
        const [organization] = await identityDb<{ id: number }[]>`
          insert into organization (name) values (${`${name} ${n}`}) returning id`;
        const at = { organization_id: organization!.id, collaboration_id: collaboration!.id };
        await collaborationDb`insert into collaboration_member ${collaborationDb(at)}`;
        const [node] = await collaborationDb<{ id: number }[]>`
          insert into node ${
          collaborationDb({ ...at, name: `${name} ${n}`, api_key_sha256: crypto.randomUUID() })
        } returning id`;
        members.push({ organization: organization!.id, node: node!.id });
      }
      return { collaboration: collaboration!.id, members };
    },
    async user(place, member = 0, rules = "Researcher") {
      const { organization } = place.members[member]!;
      const username = crypto.randomUUID();
      const [row] = await identityDb<{ id: number }[]>`
        insert into "user" ${
        identityDb({ username, password_hash: "", organization_id: organization })
      } returning id`;
      return {
        kind: "user",
        id: row!.id,
        username,
        organization_id: organization,
        rules: typeof rules === "string" ? rulesOfRole(rules) : rules,
        collaborations: membership(place),
      };
    },
    node(place, member = 0) {
      const { organization, node } = place.members[member]!;
      return {
        kind: "node",
        id: node,
        organization_id: organization,
        collaboration_id: place.collaboration,
        rules: rulesOfRole("node"),
        collaborations: membership(place),
      };
    },
    container(place, member, task) {
      const { organization, node } = place.members[member]!;
      return {
        kind: "container",
        id: node,
        organization_id: organization,
        collaboration_id: place.collaboration,
        study_id: null,
        task_id: task.id,
        image: task.image,
        rules: rulesOfRole("container"),
        collaborations: membership(place),
      };
    },
    call,
    async post(user, place, extra = {}) {
      const { status, body } = await call(user, "POST /task", {
        name: "a task",
        image: "average",
        collaboration_id: place.collaboration,
        organizations: place.members.map((one) => ({ id: one.organization, input: PLAIN_INPUT })),
        ...extra,
      });
      assert.equal(status, 201, JSON.stringify(body));
      return body;
    },
    async stop() {
      await reconciler.stop();
      await outbox.stop();
      await Promise.all([db, collaborationDb, identityDb].map((one) => one.end({ timeout: 1 })));
    },
  };
}

/** One node's side of the reports, for one result after the other. */
export function reporterOf(hub: TaskHub, node: number, agent_id: string = crypto.randomUUID()) {
  const { reports } = hub.deps;
  return {
    agent_id,
    async hello(open: ReportBody<"hello">["open"] = []) {
      for (let after = 0;;) {
        const answer = await reports.hello(node, { agent_id, after, open });
        if (answer.ok) return answer;
        after = answer.hellos;
      }
    },
    start: (result_id: number, attempt = 1) =>
      reports.start(node, { agent_id, result_id, attempt }),
    finish: (result_id: number, { attempt = 1, ...rest }: {
      attempt?: number;
      status?: "completed" | "failed" | "crashed" | "not allowed" | "killed by user";
      result?: string | null;
      in_blob?: boolean;
      log?: string | null;
      reason?: string | null;
    } = {}) =>
      reports.finish(node, {
        agent_id,
        result_id,
        attempt,
        status: "completed",
        result: btoa("1"),
        in_blob: false,
        log: "done",
        reason: null,
        ...rest,
      }),
    lost: (result_id: number, attempt = 1, reason = "the machine lost power") =>
      reports.lost(node, { agent_id, result_id, attempt, reason }),
  };
}

/** Real servers and a task service over them, for all tests of the file that calls this at its top. */
export function useTaskHub(options: Pick<TaskHubOptions, "settings" | "now"> = {}): () => TaskHub {
  const postgres = useTestPostgres();
  let nats: TestNats | undefined;
  let hub: TaskHub | undefined;
  Deno.test.beforeAll(async () => {
    nats = await startTestNats();
    hub = await startTaskHub({ postgres, nats, ...options });
  });
  Deno.test.afterAll(async () => {
    await hub?.stop();
    await nats?.stop();
  });
  return () => {
    if (!hub) throw new Error("Cannot use the hub before the tests of this file have begun");
    return hub;
  };
}
