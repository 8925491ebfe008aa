/**
 * The hub in one process: gateway, identity, collaboration and task as they are, over a real
 * PostgreSQL and a real broker. Requests come by HTTP, as those of a client.
 * @module
 */
import { join } from "node:path";
import { Secret, TOTP } from "otpauth";
import type { Mail, SendMail } from "../../services/identity/accounts/mail.ts";
import type { Client } from "../../services/identity/sessions/sessions.ts";
import { setUpKeptPage } from "../../services/page/build/kept_page.ts";
import type { KeyRing } from "../../services/identity/sessions/signing_keys.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import type { Db } from "../../shared/storage/db.ts";
import { CACHE_FOLDER, temporaryFolder } from "./folders.ts";
import { ROOT_PASSWORD, startTestServices, TASK_SETTINGS } from "./services.ts";

export { ROOT_PASSWORD };
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
  /**
   * `hub.call("GET", "/user/1", {token})`: one request through the gateway; the answer must be
   * JSON, or metrics.
   */
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
  /** Where the gateway listens. */
  address: { hostname: string; port: number };
  /** The access token of a new session of a user, or of a node with the key it has now. */
  signIn(client: Client): Promise<string>;
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
  /** Whether it serves the page. */
  page?: boolean;
  /** Whether the clock of the services stands still until it is moved. */
  clockStands?: boolean;
}

export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  let ahead = 0;
  const started = Date.now();
  const now = () => new Date((options.clockStands ? started : Date.now()) + ahead);
  const taken: Mail[] = [];
  const folder = options.page ? await temporaryFolder() : undefined;
  if (folder) await setUpKeptPage(folder.path, join(CACHE_FOLDER, "pages"));
  const services = await startTestServices({
    log: options.log ?? silentLogger,
    now,
    gateway: folder ? { pageFolder: folder.path } : {},
    identity: {
      twoFactor: options.twoFactor ?? false,
      sendMail: "sendMail" in options
        ? options.sendMail
        : (mail) => Promise.resolve(void taken.push(mail)),
    },
    task: {
      settings: { ...TASK_SETTINGS, blobStoreEnabled: true, columnImage: "deno:columns@1" },
    },
  });
  const { identity, collaboration, task, gateway, db } = services;
  const address = `http://${gateway.address.hostname}:${gateway.address.port}`;

  async function call(method: string, path: string, { token, body, headers }: Call = {}) {
    const response = await fetch(address + (path.startsWith("/.") ? path : `/api${path}`), {
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
    apps: {
      identity: identity.app,
      collaboration: collaboration.app,
      task: task.app,
      gateway: gateway.app,
    },
    db,
    now,
    advance(seconds) {
      ahead += seconds * 1000;
    },
    async mails() {
      await identity.background.settled();
      return taken;
    },
    settled: () => identity.background.settled(),
    keys: identity.deps.keys,
    address: gateway.address,
    async signIn(client) {
      const [node] = client.type === "node"
        ? await db.collaboration<{ keyGeneration: number }[]>`
          select key_generation as "keyGeneration" from node where id = ${client.id}`
        : [];
      return (await identity.deps.sessions.begin(db.identity, client, node)).access_token;
    },
    async stop() {
      await identity.background.settled();
      await services.stop();
      await folder?.remove();
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
