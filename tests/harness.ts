/**
 * Real servers for tests: each on free ports and in a temporary folder, each gone when its test file is done.
 * @module
 */
import { randomBytes } from "node:crypto";
import { HUB_SERVICES, type HubService } from "../shared/subjects.ts";
import { roleOf, type RolePasswords, setUpDatabase } from "../services/stack/database.ts";
import { type Postgres, POSTGRES_ADMIN, startPostgres } from "../services/stack/postgres.ts";

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
