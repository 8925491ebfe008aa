/**
 * The hub in this process, as task's tests see it: requests go to task over NATS from a caller that
 * the test chooses. Reports come straight from the test, as if the desk had proved their sender.
 * @module
 */
import assert from "node:assert/strict";
import { DEFAULT_ROLES } from "../../services/identity/rights/catalogue.ts";
import type { TaskDeps, TaskSettings } from "../../services/task/deps.ts";
import type { Reconciler } from "../../services/task/upkeep/reconciler.ts";
import type { BrokerConnection } from "../../shared/broker/connection.ts";
import type { Principal } from "../../shared/contract/permissions.ts";
import { createHttpClient } from "../../shared/http_over_nats/mod.ts";
import { dispatchSchema } from "../../shared/node_protocol/dispatch.ts";
import { NODE_PROTOCOL, type ReportBody } from "../../shared/node_protocol/reports.ts";
import type { Db } from "../../shared/storage/db.ts";
import type { TestNats } from "./nats.ts";
import { startTestServices, TASK_SETTINGS } from "./services.ts";

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
  container(
    place: Place,
    member: number,
    task: { id: number; job_id: number; image: string },
  ): Principal;
  call(
    principal: Principal,
    /** For example `GET /task/1`. */
    operation: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** A task for all members, or those given, as `user` posts it. */
  // deno-lint-ignore no-explicit-any
  post(user: Principal, place: Place, extra?: Record<string, unknown>): Promise<any>;
  stop(): Promise<void>;
}

export const PLAIN_INPUT = btoa('{"method": "average"}');

export function rulesOfRole(name: string): string[] {
  return DEFAULT_ROLES.find((role) => role.name === name)!.rules;
}

export interface TaskHubOptions {
  settings?: Partial<TaskSettings>;
  now?: () => Date;
}

export async function startTaskHub(
  { settings = {}, now = () => new Date() }: TaskHubOptions = {},
): Promise<TaskHub> {
  const services = await startTestServices({
    now,
    task: {
      settings: {
        ...TASK_SETTINGS,
        ...settings,
      },
    },
  });
  const { nats, dispatchKey } = services;
  const { deps, reconciler } = services.task;
  const { task: db, collaboration: collaborationDb, identity: identityDb } = services.db;
  const { nc } = await nats.service("task");
  const http = createHttpClient({ nc: (await nats.service("gateway")).nc });

  function membership({ collaboration, members }: Place) {
    return [{ id: collaboration, organization_ids: members.map((one) => one.organization) }];
  }
  async function call(
    principal: Principal,
    operation: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const [method, path] = operation.split(" ") as [string, string];
    const raw = body instanceof Uint8Array || body instanceof ReadableStream;
    const request = new Request(`http://hub/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body as BodyInit : JSON.stringify(body) }),
    });
    const requestId = crypto.randomUUID();
    const response = await http.request("task", request, { principal, requestId });
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
        session_id: crypto.randomUUID(),
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
        job_id: task.job_id,
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
      http.close();
      await services.stop();
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
        const answer = await reports.hello(node, {
          agent_id,
          protocol: NODE_PROTOCOL,
          after,
          open,
        });
        if (answer.ok) return answer;
        after = answer.hellos;
      }
    },
    /** The results of the first page of what the node has not accepted. */
    async work(after = 0) {
      const { dispatches, next } = await reports.work(node, { agent_id, after });
      const results = dispatches.map(({ text }) => dispatchSchema.parse(JSON.parse(text)));
      return { dispatches, results, next };
    },
    accepted: (...result_ids: number[]) =>
      reports.accepted(node, {
        agent_id,
        attempts: result_ids.map((result_id) => ({ result_id, attempt: 1 })),
      }),
    start: (result_id: number, attempt = 1, code?: string, by_tag = false) =>
      reports.start(node, { agent_id, result_id, attempt, code, by_tag }),
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
    held: (result_id: number, { attempt = 1, since = new Date().toISOString() } = {}) =>
      reports.held(node, { agent_id, result_id, attempt, since }),
    lost: (result_id: number, attempt = 1, reason = "the machine lost power") =>
      reports.lost(node, { agent_id, result_id, attempt, reason }),
  };
}

/** One for all tests of the file that calls this at its top. */
export function useTaskHub(options: TaskHubOptions = {}): () => TaskHub {
  let hub: TaskHub | undefined;
  Deno.test.beforeAll(async () => {
    hub = await startTaskHub(options);
  });
  Deno.test.afterAll(() => hub?.stop());
  return () => {
    if (!hub) throw new Error("Cannot use the hub before the tests of this file have begun");
    return hub;
  };
}
