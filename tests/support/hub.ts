/**
 * The hub in one process: gateway, identity, collaboration and task as they are, over a real PostgreSQL and a real
 * broker for their events. Only the way between them is short: they are called, not asked over NATS.
 * @module
 */
import { Secret, TOTP } from "otpauth";
import { createCollaborationApp } from "../../services/collaboration/app.ts";
import { collaborationAnswers } from "../../services/collaboration/answers.ts";
import { createGatewayApp } from "../../services/gateway/app.ts";
import { createPrincipals } from "../../services/gateway/principals/principals.ts";
import { createRateLimiter } from "../../services/gateway/door/rate_limit.ts";
import { createAccounts } from "../../services/identity/accounts/accounts.ts";
import { createIdentityApp } from "../../services/identity/app.ts";
import { createBackground } from "../../services/identity/accounts/background.ts";
import { createBrokerDesk } from "../../services/identity/broker/credentials.ts";
import { identityAnswers } from "../../services/identity/answers.ts";
import { ensureFirstUser } from "../../services/identity/accounts/first_user.ts";
import { type KeyRing, openKeyRing } from "../../services/identity/sessions/signing_keys.ts";
import type { Mail, SendMail } from "../../services/identity/accounts/mail.ts";
import { createSessions } from "../../services/identity/sessions/sessions.ts";
import { seedCatalogue } from "../../services/identity/store/catalogue.ts";
import { createTaskApp } from "../../services/task/app.ts";
import { createDispatchStreams } from "../../services/task/dispatch/streams.ts";
import { taskAnswers } from "../../services/task/answers.ts";
import { createKills } from "../../services/task/dispatch/kills.ts";
import { createReports } from "../../services/task/reports/reports.ts";
import { createTaskWatch } from "../../services/task/task_watch.ts";
import { checkAnswers } from "../../shared/contract/answers.ts";
import { recordRefusal } from "../../shared/storage/audit.ts";
import { type Db, migrate, openDatabase } from "../../shared/storage/db.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import { createEventOutbox, type Outbox } from "../../shared/storage/outbox.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { startTestPostgres, type TestPostgres } from "../harness.ts";
import { startTestNats, type TestNats } from "./nats.ts";

export const ROOT_PASSWORD = "Root-password-1";
/** A password that the policy accepts. */
export const PASSWORD = "Secret-password-1";

export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  body: any;
  headers: Headers;
}

export interface Call {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestHub {
  /** `hub.call("GET", "/user/1", {token})`: one request through the gateway; the answer must be JSON, or metrics. */
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** The access token of a user. */
  login(username: string, password?: string): Promise<string>;
  /** Token of the administrator, who is user 1 of organization 1. */
  root: string;
  apps: Record<HubService | "gateway", TestApp>;
  db: Record<HubService, Db>;
  /** Moves the clock of the services. */
  advance(seconds: number): void;
  now(): Date;
  /** Mails taken by the test's mail server, in order; waits for those under way. */
  mails(): Promise<Mail[]>;
  settled(): Promise<void>;
  /** Signs tokens. */
  keys: KeyRing;
  /** The servers below, for another hub of the same test. */
  postgres: TestPostgres;
  nats: TestNats;
  stop(): Promise<void>;
}

export interface TestApp {
  routes: RouteEntry[];
  fetch(request: Request, env: object): Response | Promise<Response>;
}

/** What Hono keeps of a route. */
export interface RouteEntry {
  method: string;
  path: string;
  handler: unknown;
}

export interface TestHubOptions {
  log?: Logger;
  twoFactor?: boolean;
  sendMail?: SendMail | undefined;
  postgres?: TestPostgres;
  nats?: TestNats;
}

export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  checkAnswers();
  const log = options.log ?? silentLogger;
  const postgres = options.postgres ?? await startTestPostgres();
  const nats = options.nats ?? await startTestNats();
  let ahead = 0;
  const now = () => new Date(Date.now() + ahead);
  const urls = await postgres.newDatabases();

  async function open(service: HubService): Promise<Db> {
    const db = openDatabase(urls[service], { schema: service, log });
    await migrate(db, new URL(`../../services/${service}/schema/`, import.meta.url), log);
    return db;
  }
  const db = {
    identity: await open("identity"),
    collaboration: await open("collaboration"),
    task: await open("task"),
  };
  await seedCatalogue(db.identity);
  const admin = { username: "root", password: ROOT_PASSWORD, file: undefined };
  await ensureFirstUser(db.identity, admin, log);

  async function outboxOf(service: HubService): Promise<Outbox> {
    const { nc } = await nats.service(service);
    return await createEventOutbox({ db: db[service], nc, service, log });
  }
  const outboxes = {
    identity: await outboxOf("identity"),
    collaboration: await outboxOf("collaboration"),
    task: await outboxOf("task"),
  };

  const answers: Record<string, Record<string, (input: never) => Promise<unknown>>> = {};
  const ask = (async (service: HubService, method: string, input: never) =>
    // As over the wire: what JSON cannot carry does not arrive.
    JSON.parse(JSON.stringify(await answers[service]![method]!(input)))) as Ask;

  // -- identity
  const taken: Mail[] = [];
  const background = createBackground(log);
  const keys = await openKeyRing(db.identity, { now, days: 90, tokenSeconds: 48 * 3600 });
  const sendMail = "sendMail" in options
    ? options.sendMail
    : (mail: Mail) => Promise.resolve(void taken.push(mail));
  const identity = {
    db: db.identity,
    outbox: outboxes.identity,
    keys,
    accounts: createAccounts({
      db: db.identity,
      now,
      background,
      sendMail,
      twoFactor: options.twoFactor ?? false,
      serverName: "test",
    }),
    sessions: createSessions({
      db: db.identity,
      keys,
      ask,
      now,
      accessSeconds: 6 * 3600,
      refreshSeconds: 48 * 3600,
    }),
    broker: createBrokerDesk({
      db: db.identity,
      trust: nats.trust,
      system: (await nats.system("identity")).nc,
      nodeNatsUrl: nats.url,
      dispatchKeys: [newUserKey().publicKey],
      credentialSeconds: 3600,
      now,
    }),
    ask,
    log,
    now,
  };
  answers.identity = identityAnswers(identity);

  // -- collaboration
  const collaboration = { db: db.collaboration, outbox: outboxes.collaboration, ask, log };
  answers.collaboration = collaborationAnswers(collaboration);

  // -- task
  const { nc } = await nats.service("task");
  const streams = createDispatchStreams(() => nc.jetstreamManager());
  await streams.ensureStream();
  const task = {
    db: db.task,
    outbox: outboxes.task,
    ask,
    reports: createReports({ db: db.task, outbox: outboxes.task, streams, log, now }),
    kills: createKills({ db: db.task, log, now, publish: () => {} }),
    watch: createTaskWatch(),
    settings: { blobStoreEnabled: true, maxUnusedBytes: 2 ** 36, columnImage: "deno:columns@1" },
    now,
    log,
  };
  answers.task = taskAnswers(task);

  // -- gateway
  const services = {
    identity: createIdentityApp(identity),
    collaboration: createCollaborationApp(collaboration),
    task: createTaskApp(task),
  };
  const recorded = createRateLimiter({ burst: 300, perMinute: 60 });
  const gateway = createGatewayApp({
    http: {
      request: async (service, request, { principal, requestId } = {}) =>
        await services[service].fetch(request, {
          ...(principal ? { principal: JSON.parse(JSON.stringify(principal)) } : {}),
          ...(requestId ? { requestId } : {}),
        }),
      close() {},
    },
    // Every request asks anew: what changes shows at once, as events make it in the real gateway.
    principals: createPrincipals({ ask, maxAgeMs: 0, now: () => now().getTime() }),
    health: () =>
      Promise.resolve(Object.fromEntries(HUB_SERVICES.map((one) => [one, { ok: true }]))),
    log,
    corsOrigins: ["*"],
    maxBody: 2 ** 20,
    refused(refusal) {
      if (recorded.take(refusal.address) > 0) return;
      background.run("record a refusal", () => recordRefusal(db.identity, refusal));
    },
  });

  async function call(method: string, path: string, { token, body, headers }: Call = {}) {
    const response = await gateway.request(path.startsWith("/.") ? path : `/api${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/plain; version=")) {
      return { status: response.status, body: text, headers: response.headers };
    }
    try {
      return { status: response.status, body: JSON.parse(text), headers: response.headers };
    } catch {
      throw new Error(`${method} ${path} answered ${response.status} without JSON: ${text}`);
    }
  }

  async function login(username: string, password = PASSWORD): Promise<string> {
    const credentials = { username, password };
    let { status, body } = await call("POST", "/token/user", { body: credentials });
    if (body.otp_secret) {
      const mfa_code = codeOf(body.otp_secret, now());
      ({ status, body } = await call("POST", "/token/user", {
        body: { ...credentials, mfa_code },
      }));
    }
    if (status !== 200) throw new Error(`Cannot log in as ${username}: ${body.msg}`);
    return body.access_token;
  }

  return {
    call,
    login,
    root: await login("root", ROOT_PASSWORD),
    apps: { ...services, gateway },
    db,
    now,
    advance(seconds) {
      ahead += seconds * 1000;
    },
    async mails() {
      await background.settled();
      return taken;
    },
    settled: () => background.settled(),
    keys,
    postgres,
    nats,
    async stop() {
      await background.settled();
      for (const service of HUB_SERVICES) await outboxes[service].stop();
      for (const service of HUB_SERVICES) await db[service].end({ timeout: 2 });
      if (!options.nats) await nats.stop();
      if (!options.postgres) await postgres.stop();
    },
  };
}

/** What an authenticator app shows at a moment. */
export function codeOf(secret: string, at: Date): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at.getTime() });
}

/** One hub for all tests of the file that calls this at its top; the function returns it. */
export function useTestHub(options: TestHubOptions = {}): () => TestHub {
  let running: TestHub | undefined;
  Deno.test.beforeAll(async () => {
    running = await startTestHub(options);
  });
  Deno.test.afterAll(() => running?.stop());
  return () => {
    if (!running) throw new Error("Cannot use the hub before the tests of this file have begun");
    return running;
  };
}
