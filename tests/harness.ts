/**
 * Real servers for tests: each on free ports and in a temporary folder, each gone when its test file is done.
 * @module
 */
import { randomBytes } from "node:crypto";
import { roleOf, type RolePasswords, setUpDatabase } from "../services/stack/database.ts";
import { findNatsServer, startNatsServer } from "../services/stack/nats_server.ts";
import { freePort } from "../services/stack/ports.ts";
import { type Postgres, POSTGRES_ADMIN, startPostgres } from "../services/stack/postgres.ts";
import { type Deployment, FILES, setUpFiles } from "../services/stack/setup.ts";
import { type Stack, type StackOptions, startStack } from "../services/stack/stack.ts";
import { type Trust, trustSchema } from "../shared/broker/trust.ts";
import { HUB_SERVICES, type HubService } from "../shared/broker/subjects.ts";

/** Kept between runs: what is downloaded on a machine that lacks it. */
export const CACHE_FOLDER = new URL("../.sextant/cache", import.meta.url).pathname;

/** A temporary folder that the accounts of all parts can reach, removed by `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await Deno.makeTempDir({ prefix: "sextant-test-" });
  await Deno.chmod(path, 0o711);
  return { path, remove: () => Deno.remove(path, { recursive: true }) };
}

export interface WaitOptions {
  /** Milliseconds. */
  timeout?: number;
  /** Ends the sentence "Waited in vain for …". */
  what: string;
}

/** Asks `condition` until it gives something true and returns that; a condition that throws is asked again. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, what }: WaitOptions,
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + timeout;
  for (let pause = 5;; pause = Math.min(pause * 1.5, 200)) {
    let reason: unknown;
    try {
      const value = await condition();
      if (value) return value;
      reason = value;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > giveUpAt) {
      throw new Error(`Waited in vain for ${what} (${timeout} ms)`, { cause: reason });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export interface TestPostgres {
  /** The address of an empty database of its own for a service, as that service's role. */
  newDatabase(service: HubService): Promise<string>;
  /** The same database for all services. */
  newDatabases(): Promise<Record<HubService, string>>;
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A PostgreSQL server in a temporary folder. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await temporaryFolder();
  const adminPassword = randomBytes(12).toString("hex");
  const passwords = Object.fromEntries(
    HUB_SERVICES.map((service) => [service, randomBytes(12).toString("hex")]),
  ) as RolePasswords;
  let server: Postgres;
  async function start() {
    server = await startPostgres({
      folder: `${folder.path}/postgres`,
      cacheFolder: CACHE_FOLDER,
      adminPassword,
      syncInit: false,
      // Syncing guards against the loss of power, which no test simulates.
      settings: { fsync: "off" },
    });
  }
  async function newDatabases() {
    const database = `test_${randomBytes(6).toString("hex")}`;
    const adminUrl = (name: string) => server.url(POSTGRES_ADMIN, adminPassword, name);
    await setUpDatabase({ adminUrl, passwords, database });
    return Object.fromEntries(
      HUB_SERVICES.map((one) => [one, server.url(roleOf(one), passwords[one], database)]),
    ) as Record<HubService, string>;
  }
  await start();
  return {
    start,
    newDatabases,
    newDatabase: async (service) => (await newDatabases())[service],
    async kill9() {
      server.process.signal("SIGKILL");
      await server.process.exited;
    },
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}

/** One PostgreSQL server for all tests of the file that calls this at its top. */
export function useTestPostgres(): TestPostgres {
  let running: TestPostgres | undefined;
  Deno.test.beforeAll(async () => {
    running = await startTestPostgres();
  });
  Deno.test.afterAll(() => running?.stop());
  function server(): TestPostgres {
    if (!running) throw new Error("Cannot use Postgres before the tests of this file have begun");
    return running;
  }
  return {
    newDatabase: (service) => server().newDatabase(service),
    newDatabases: () => server().newDatabases(),
    kill9: () => server().kill9(),
    start: () => server().start(),
    stop: () => server().stop(),
  };
}

export interface TestStackOptions {
  /** Receives what the parts log; nothing is shown otherwise. */
  onEntry?: StackOptions["onEntry"];
}

export interface TestStack extends Stack {
  /** What the parts have logged, one text a line, for conditions and for the reader of a failure. */
  log: string[];
}

/** A whole Sextant in a temporary folder, on free ports. `stop` removes the folder too. */
export async function startTestStack({ onEntry }: TestStackOptions = {}): Promise<TestStack> {
  const folder = await temporaryFolder();
  const log: string[] = [];
  try {
    const stack = await startStack({
      folder: folder.path,
      cacheFolder: CACHE_FOLDER,
      temporary: true,
      onEntry(part, entry) {
        log.push(`${part}: ${entry.level}: ${entry.message} ${JSON.stringify(entry.fields)}`);
        onEntry?.(part, entry);
      },
    });
    return {
      ...stack,
      log,
      async stop() {
        await stack.stop();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    const last = log.slice(-40).join("\n  ");
    throw new Error(`${(error as Error).message}\nWhat the parts logged:\n  ${last}`, {
      cause: error,
    });
  }
}

/** One whole Sextant for all tests of the file that calls this at its top; the function returns it. */
export function useTestStack(options: TestStackOptions = {}): () => TestStack {
  let running: TestStack | undefined;
  Deno.test.beforeAll(async () => {
    running = await startTestStack(options);
  });
  Deno.test.afterAll(() => running?.stop());
  return () => {
    if (!running) throw new Error("Cannot use the stack before the tests of this file have begun");
    return running;
  };
}

export interface TestBroker {
  /** The WebSocket address. */
  url: string;
  trust: Trust;
  /** The folder of the deployment; services' enrolments are below `services/`. */
  deployment: Deployment;
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A nats-server of Sextant's own set-up in a temporary folder. */
export async function startTestBroker(): Promise<TestBroker> {
  const folder = await temporaryFolder();
  const port = freePort();
  const websocketPort = freePort({ except: [port] });
  const deployment = await setUpFiles(folder.path, { host: "127.0.0.1", port, websocketPort });
  const trustFile = `${deployment.serviceFolder("identity")}/${FILES.brokerTrust}`;
  const trust = trustSchema.parse(JSON.parse(await Deno.readTextFile(trustFile)));
  const program = await findNatsServer(CACHE_FOLDER);
  let server = await startNatsServer(program, deployment.natsConfig);
  return {
    url: `ws://127.0.0.1:${websocketPort}`,
    trust,
    deployment,
    async kill9() {
      server.signal("SIGKILL");
      await server.exited;
    },
    async start() {
      server = await startNatsServer(program, deployment.natsConfig);
    },
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}
