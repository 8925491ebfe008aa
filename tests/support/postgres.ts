/**
 * A real PostgreSQL for tests. One server serves all files of a run; each caller gets a database of
 * its own, copied from a template. Who kills the server starts one of its own.
 * @module
 */
import { roleOf } from "../../services/stack/names.ts";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { setUpDatabase } from "../../services/stack/database.ts";
import { POSTGRES_ADMIN, postgresUrl, startPostgres } from "../../services/stack/postgres.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { migrate, openDatabase } from "../../shared/storage/db.ts";
import { CACHE_FOLDER, temporaryFolder } from "./folders.ts";
import { shareServer } from "./shared.ts";

export interface TestPostgres {
  /**
   * The addresses of a new database, for each service as its own role; its schemas have no tables.
   */
  newDatabases(): Promise<Record<HubService, string>>;
  /** The same, with the newest tables of all services in it. */
  newMigratedDatabases(): Promise<Record<HubService, string>>;
  /** `newDatabases()` for one service. */
  newDatabase(service: HubService): Promise<string>;
  stop(): Promise<void>;
}

export interface OwnPostgres extends TestPostgres {
  kill9(): Promise<void>;
  start(): Promise<void>;
}

/** What must be known to make databases on a server that another process has started. */
const serverSchema = z.object({
  socketFolder: z.string(),
  adminPassword: z.string(),
  passwords: z.record(z.enum(HUB_SERVICES), z.string()),
});
type Server = z.infer<typeof serverSchema>;

/** Names, in the environment, the server that all files of a run share. */
export const SHARED_POSTGRES = "SEXTANT_TEST_POSTGRES";

/**
 * Names, in the environment, a folder as `initdb` makes it, and the administrator's password in it.
 */
const NEW_CLUSTER = "SEXTANT_TEST_CLUSTER";
const clusterSchema = z.object({ folder: z.string(), adminPassword: z.string() });

/** Databases from which the others are copied. */
const EMPTY = "test_empty";
const MIGRATED = "test_migrated";

const newPassword = () => randomBytes(12).toString("hex");

/** A server of the caller's own, in a temporary folder. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  // Who kills it asks afterwards for what was committed before.
  const { server, ...life } = await startServer({ synchronous_commit: "on" });
  return { ...databasesOn(server), ...life };
}

/** Databases on the server of this run; without one, on a server that stops with its last user. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const given = Deno.env.get(SHARED_POSTGRES);
  if (given) {
    return { ...databasesOn(serverSchema.parse(JSON.parse(given))), stop: () => Promise.resolve() };
  }
  const { server } = await shared.acquire();
  return { ...databasesOn(server), stop: shared.release };
}

const shared = shareServer(() => startServer());

/** Starts the server that the test files of a run find by the variable in `env`. */
export async function startSharedPostgres(): Promise<
  { env: Record<string, string>; stop(): Promise<void> }
> {
  const folder = await temporaryFolder();
  const cluster = { folder: `${folder.path}/cluster`, adminPassword: newPassword() };
  const first = await startPostgres({
    ...cluster,
    cacheFolder: CACHE_FOLDER,
    syncInit: false,
    settings: { fsync: "off" },
  });
  await first.stop();
  const env = { [NEW_CLUSTER]: JSON.stringify(cluster) };
  const { server, stop } = await startServer();
  return {
    env: { ...env, [SHARED_POSTGRES]: JSON.stringify(server) },
    async stop() {
      await stop();
      await folder.remove();
    },
  };
}

/**
 * Puts a new cluster where a server is to have its own, and returns its administrator's password:
 * to copy one takes a tenth of the time that `initdb` takes. Without a run that made one,
 * `undefined`, and the server makes its own.
 */
export async function placeNewCluster(to: string): Promise<string | undefined> {
  const given = Deno.env.get(NEW_CLUSTER);
  if (given === undefined) return undefined;
  const { folder, adminPassword } = clusterSchema.parse(JSON.parse(given));
  const { success, stderr } = await new Deno.Command("cp", { args: ["-a", folder, to] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return adminPassword;
}

async function startServer(settings: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const cluster = `${folder.path}/postgres`;
  const adminPassword = await placeNewCluster(cluster) ?? newPassword();
  const start = () =>
    startPostgres({
      folder: cluster,
      cacheFolder: CACHE_FOLDER,
      adminPassword,
      syncInit: false,
      // Syncing guards against the loss of power, which no test simulates.
      settings: {
        fsync: "off",
        synchronous_commit: "off",
        full_page_writes: "off",
        max_connections: "500",
        max_wal_size: "4GB",
        ...settings,
      },
    });
  let running = await start();
  const server: Server = {
    socketFolder: running.socketFolder,
    adminPassword,
    passwords: { identity: newPassword(), collaboration: newPassword(), task: newPassword() },
  };
  await makeTemplates(server);
  return {
    server,
    async kill9() {
      running.process.signal("SIGKILL");
      await running.process.exited;
    },
    async start() {
      running = await start();
    },
    async stop() {
      await running.stop();
      await folder.remove();
    },
  };
}

async function makeTemplates(server: Server): Promise<void> {
  const { adminUrl, urls } = addressesOn(server);
  await setUpDatabase({ adminUrl, passwords: server.passwords, database: EMPTY });
  await copyDatabase(server, EMPTY, MIGRATED);
  await Promise.all(HUB_SERVICES.map(async (service) => {
    const options = { schema: service, log: silentLogger, max: 1 };
    const db = openDatabase(urls(MIGRATED)[service], options);
    await migrate(
      db,
      new URL(`../../services/${service}/schema/`, import.meta.url),
      silentLogger,
    );
    await db.end();
  }));
}

function databasesOn(server: Server): Omit<TestPostgres, "stop"> {
  async function copyOf(template: string) {
    const database = `test_${randomBytes(6).toString("hex")}`;
    await copyDatabase(server, template, database);
    return addressesOn(server).urls(database);
  }
  return {
    newDatabases: () => copyOf(EMPTY),
    newMigratedDatabases: () => copyOf(MIGRATED),
    newDatabase: async (service) => (await copyOf(EMPTY))[service],
  };
}

function addressesOn({ socketFolder, adminPassword, passwords }: Server) {
  return {
    adminUrl: (database: string) =>
      postgresUrl(socketFolder, { role: POSTGRES_ADMIN, password: adminPassword, database }),
    urls: (database: string) =>
      Object.fromEntries(HUB_SERVICES.map((service) => {
        const login = { role: roleOf(service), password: passwords[service], database };
        return [service, postgresUrl(socketFolder, login)];
      })) as Record<HubService, string>,
  };
}

/**
 * Copies all but the rights on the database itself, which Postgres leaves out: those are given
 * anew.
 */
async function copyDatabase(server: Server, template: string, database: string): Promise<void> {
  const admin = openDatabase(addressesOn(server).adminUrl("postgres"), {
    schema: "pg_catalog",
    log: silentLogger,
    max: 1,
  });
  try {
    await admin.unsafe(`create database ${database} template ${template}`);
    await admin.unsafe(`revoke all on database ${database} from public;
      grant connect on database ${database} to ${HUB_SERVICES.map(roleOf).join(", ")}`);
  } finally {
    await admin.end();
  }
}

/** Databases for all tests of the file that calls this at its top. */
export function useTestPostgres(): TestPostgres {
  const server = useStarted(startTestPostgres);
  return {
    newDatabase: (service) => server().newDatabase(service),
    newDatabases: () => server().newDatabases(),
    newMigratedDatabases: () => server().newMigratedDatabases(),
    stop: () => server().stop(),
  };
}

/**
 * A server of its own for all tests of the file that calls this at its top; the function returns
 * it.
 */
export function useOwnPostgres(): () => OwnPostgres {
  return useStarted(startOwnPostgres);
}

function useStarted<Server extends TestPostgres>(start: () => Promise<Server>): () => Server {
  let running: Server | undefined;
  Deno.test.beforeAll(async () => {
    running = await start();
  });
  Deno.test.afterAll(() => running?.stop());
  return () => {
    if (!running) throw new Error("Cannot use Postgres before the tests of this file have begun");
    return running;
  };
}
