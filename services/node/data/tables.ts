/**
 * The databases of a node as files of typed columns: read once, by a process of its own, and kept
 * until the source, the owner's settings or the task's request differ.
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { plainEnvironment } from "../../../shared/service/plain_environment.ts";
import { giveToOwnerOf } from "../record/data_folder.ts";
import { type HeldFolder, makeHeldFolder, removeLeftFolders } from "../record/held_folder.ts";
import { DataError } from "./error.ts";
import { readPostgresAddress, socketOf } from "./postgres_address.ts";
import type { DataRequest, Description, ReadJob } from "./types.ts";

/** A database whose file, or address, is known to be there. */
export type Source = Pick<ReadJob, "type" | "path" | "options">;

export interface Tables {
  /**
   * The path of the columns of `source` as `request` asks for them. Throws a {@linkcode DataError},
   * or the reason of the signal: what nobody waits for any more is read no further.
   */
  read(source: Source, request: DataRequest, signal?: AbortSignal): Promise<string>;
  /** What the source holds. Throws a {@linkcode DataError}. */
  describe(source: Source): Promise<Description>;
}

export interface TablesOptions {
  /** Where the files of columns are kept, in the agent's data folder; the agent's alone. */
  folder: string;
  /** Whether errors in the sandbox may name columns that the algorithm did not name itself. */
  namesMayLeave: boolean;
  /** Memory of the process that reads, in MiB; beyond it that uses the disk. */
  memoryMiB?: number;
  /** How long a reading may take. */
  timeoutSeconds?: number;
}

/** How long a reading may take unless the owner says otherwise. */
export const READ_TIMEOUT_SECONDS = 3600;
/** Whether a server answers at all shows sooner. */
const ASK_SERVER_SECONDS = 60;

/** Changes with everything that makes the same source read differently. */
const FORM = 2;
/** Tables kept of one source: a task may ask for other rows of it each time. */
const KEPT_OF_A_SOURCE = 16;
/** Begins the names of folders of readings under way, in the folder of tables and elsewhere. */
const READING = "reading-";
const READING_ELSEWHERE = "sextant-reading-";
/** A file may change again within the same tick of its clock. */
const CLOCK_TICK_MS = 2_000;

/** What is known of a source from the file system. It changes whenever the content does. */
interface Stamp {
  size: number;
  inode: number | null;
  modified: number;
  changed: number;
}

/** Stands beside a file of columns. */
interface Note {
  stamp: Stamp;
  /** SHA-256 of the source, where it may have changed after its stamp was taken. */
  sha256?: string;
}

/** One that is under way, for as many as wait for it. */
interface Reading {
  path: Promise<string>;
  waiting: number;
  over: AbortController;
}

export function createTables(
  { folder, namesMayLeave, memoryMiB = 1024, timeoutSeconds = READ_TIMEOUT_SECONDS }: TablesOptions,
): Tables {
  /** Readings under way: runs that begin together wait for one. */
  const underWay = new Map<string, Reading>();

  async function read(
    source: Source,
    request: DataRequest,
    signal: AbortSignal,
  ): Promise<string> {
    await Deno.mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    await makeFolder(folder);
    const sourceKey = digest([FORM, source, namesMayLeave]);
    const path = join(folder, `${sourceKey}-${digest(request)}.columns`);
    // Nothing tells when the content of a server has changed: it is read anew each time.
    const before = source.type === "postgres" ? undefined : await stampOf(source.path);
    if (before && await isFresh(path, source.path, before)) {
      await Deno.utime(path, new Date(), new Date());
      return path;
    }
    const held = await makeHeldFolder(folder, READING);
    const scratch = held.path;
    try {
      const target = join(scratch, "table.columns");
      const job = { ...source, request, target, scratch, namesMayLeave, memoryMiB, timeoutSeconds };
      await runReader(job, signal);
      if (before) {
        const note = await noteOf(source.path, before);
        await Deno.writeTextFile(join(scratch, "note"), JSON.stringify(note));
        await Deno.rename(join(scratch, "note"), `${path}.note`);
      }
      // In the folder of a run it is another user's to read, and nobody's to change.
      await Deno.chmod(target, 0o444);
      await Deno.rename(target, path);
    } finally {
      await held.remove();
    }
    await removeOld(folder, sourceKey);
    return path;
  }

  function begin(source: Source, request: DataRequest): Reading {
    const over = new AbortController();
    const path = read(source, request, over.signal);
    // Whoever waits for it hears of it.
    path.catch(() => {});
    return { path, waiting: 0, over };
  }

  return {
    async read(source, request, signal = new AbortController().signal) {
      signal.throwIfAborted();
      const key = digest([source, request]);
      const reading = underWay.get(key) ?? begin(source, request);
      underWay.set(key, reading);
      reading.waiting++;
      try {
        return await orAbort(reading.path, signal);
      } finally {
        if (--reading.waiting === 0) {
          underWay.delete(key);
          reading.over.abort(new Error("nobody waits for it any more"));
        }
      }
    },
    async describe(source) {
      const held = await holdForDescribing(folder);
      try {
        return await runReader({
          ...source,
          request: { steps: [] },
          target: undefined,
          scratch: held.path,
          namesMayLeave,
          memoryMiB,
          timeoutSeconds: source.type === "postgres"
            ? Math.min(timeoutSeconds, ASK_SERVER_SECONDS)
            : timeoutSeconds,
        });
      } finally {
        await held.remove();
      }
    },
  };
}

/**
 * Removes what readings have left that were under way when their process died, in the folder of
 * tables and wherever else they may have been.
 */
export async function removeUnfinished(folder: string): Promise<void> {
  await removeLeftFolders(folder, READING);
  await removeLeftFolders(tmpdir(), READING_ELSEWHERE);
}

/**
 * In the folder of tables, which the agent cleans up when it starts. A command that looks before
 * there was an agent, or with less rights, must not leave its data folder to a wrong account.
 */
async function holdForDescribing(folder: string): Promise<HeldFolder> {
  try {
    await makeFolder(folder);
    return await makeHeldFolder(folder, READING);
  } catch (error) {
    const { NotFound, PermissionDenied } = Deno.errors;
    if (!(error instanceof NotFound || error instanceof PermissionDenied)) throw error;
    return await makeHeldFolder(tmpdir(), READING_ELSEWHERE);
  }
}

/** Makes the folder of tables in a data folder that is there. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
    await giveToOwnerOf(dirname(folder), folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

async function stampOf(path: string): Promise<Stamp> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile) throw new DataError("Its file is not there, or cannot be read.");
  return {
    size: info.size,
    inode: info.ino,
    modified: info.mtime?.getTime() ?? 0,
    changed: info.ctime?.getTime() ?? Date.now(),
  };
}

/** Throws a {@linkcode DataError} when the source has changed since `before`. */
async function noteOf(path: string, before: Stamp): Promise<Note> {
  const note: Note = { stamp: before };
  // While the source was changed so shortly ago, its stamp does not prove that it is still the
  // same.
  if (Date.now() - before.changed < CLOCK_TICK_MS) note.sha256 = await sha256Of(path);
  if (same(before, await stampOf(path))) return note;
  throw new DataError("It was changed while it was read; try again.");
}

function same(one: Stamp, other: Stamp): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether the columns at `path` are what a new reading of the source would give. */
async function isFresh(path: string, source: string, stamp: Stamp): Promise<boolean> {
  let note: Note;
  try {
    note = JSON.parse(await Deno.readTextFile(`${path}.note`));
    if (!(await Deno.stat(path)).isFile) return false;
  } catch {
    return false;
  }
  if (!same(note.stamp, stamp)) return false;
  return note.sha256 === undefined || note.sha256 === await sha256Of(source);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}

/** Keeps the tables of a source that were used last. */
async function removeOld(folder: string, sourceKey: string): Promise<void> {
  const found: { path: string; used: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(sourceKey) || !name.endsWith(".columns")) continue;
    const path = join(folder, name);
    const info = await Deno.stat(path).catch(() => undefined);
    found.push({ path, used: info?.mtime?.getTime() ?? 0 });
  }
  found.sort((one, other) => other.used - one.used);
  for (const { path } of found.slice(KEPT_OF_A_SOURCE)) {
    await Deno.remove(path).catch(() => {});
    await Deno.remove(`${path}.note`).catch(() => {});
  }
}

const READER = new URL("./reader_process.ts", import.meta.url).pathname;

/** So that a server can say itself that it took too long, and ends what was asked. */
const GRACE_MS = 10_000;

/**
 * Runs the process that reads, until the signal is aborted, and rejects with its reason then. What
 * it says of the data becomes a {@linkcode DataError}, and so does that it takes too long. It ends
 * when this process does: its standard input is open as long.
 */
async function runReader(job: ReadJob, given?: AbortSignal): Promise<Description> {
  const late = new AbortController();
  const graceMs = job.type === "postgres" ? GRACE_MS : 0;
  const timer = setTimeout(() => {
    late.abort(
      new DataError(
        `To read it takes longer than the ${job.timeoutSeconds} seconds that this node gives that ` +
          "(read_timeout_seconds).",
      ),
    );
  }, job.timeoutSeconds * 1000 + graceMs);
  try {
    const signals = [late.signal, ...(given ? [given] : [])];
    return await runReaderUntil(AbortSignal.any(signals), job);
  } finally {
    clearTimeout(timer);
  }
}

async function runReaderUntil(signal: AbortSignal, job: ReadJob): Promise<Description> {
  const server = serverOf(job);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-remote",
      // DuckDB is a native addon.
      "--allow-ffi",
      "--allow-env",
      "--allow-sys",
      `--allow-read`,
      `--allow-write=${[job.scratch, ...server.sockets].join(",")}`,
      ...server.flags,
      READER,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    env: plainEnvironment(),
  }).spawn();
  const kill = () => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  const writer = child.stdin.getWriter();
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    // One that ends before it has read says why.
    writer.write(new TextEncoder().encode(`${JSON.stringify(job)}\n`)).catch(() => {}),
  ]);
  signal.removeEventListener("abort", kill);
  await writer.close().catch(() => {});
  signal.throwIfAborted();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`The process that reads data ended wrongly: ${decoder.decode(stderr)}`);
  }
  const answer = JSON.parse(decoder.decode(stdout));
  if (answer.error !== undefined) throw new DataError(answer.error);
  return answer.description;
}

/** What a process that reads from a server may reach: that server. */
function serverOf({ type, path }: ReadJob): { flags: string[]; sockets: string[] } {
  if (type !== "postgres") return { flags: [], sockets: [] };
  const address = readPostgresAddress(path);
  const socket = socketOf(address);
  if (socket !== undefined) return { flags: [`--allow-net=unix:${socket}`], sockets: [socket] };
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return { flags: [`--allow-net=${host}:${address.port}`], sockets: [] };
}
