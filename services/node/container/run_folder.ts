/**
 * The files of container runs: one folder for each, of which its container sees `io` and nothing
 * else.
 *
 * The folder above them all is the agent's alone, so what lies below may be open to whatever user
 * an image has.
 * @module
 */
import { basename, extname, join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { ContentFile } from "../payload/pieces.ts";
import type { ContainerDatabase } from "./environment.ts";

/** How often the removal of a folder is tried. */
const REMOVE_TRIES = 3;

/** A database of the node, as far as a container is concerned. */
export interface DatabaseSource {
  label: string;
  type: string;
  /** Absolute path of a file or folder. */
  path?: string | undefined;
  /** Anything else, as it is configured. */
  uri?: string | undefined;
  env?: Record<string, string> | undefined;
  /** `copy`: the run gets a copy of the file. `ro`: the file itself, where v6 has it then. */
  mountMode?: "ro" | "copy" | undefined;
  request: Record<string, unknown>;
}

/** A folder or file of this machine that a container gets. */
export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

/** A database as a container gets it, and what is mounted for that. */
export interface MountedDatabase {
  database: ContainerDatabase;
  isFile: boolean;
  mount?: Mount;
}

/** A run's folder and what is in it. */
export interface RunFolder {
  path: string;
  /** Host side of what the container sees as its own folder. */
  io: string;
  /** Where its result is once it has ended: out of reach of every container. */
  output: string;
  /** Where it is remembered which subtasks the run has made. */
  created: string;
  /** Where blobs lie on their way from and to the run. */
  blobs: string;
}

/** A database cannot be handed in. The message is for the researcher and names no path. */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

export interface RunFolders {
  /** Makes a run's folder; an input that lies in a file is moved from there. */
  create(
    name: string,
    files: { input: Uint8Array | ContentFile; token: string },
  ): Promise<RunFolder>;
  /** The folder of a run that was made before. */
  of(name: string): RunFolder;
  /** The secret with which a run was made. */
  token(name: string): Promise<string>;
  /** Adds a file that the container reads. */
  write(name: string, file: string, text: string): Promise<void>;
  /** Readies a database for a run. Throws a {@linkcode RunFolderError}. */
  mountDatabase(name: string, database: DatabaseSource): Promise<MountedDatabase>;
  /**
   * Never rejects: a folder that cannot be removed now is named in the log, and tried again with
   * the next clean-up.
   */
  remove(name: string): Promise<void>;
  /** Names of all runs that have a folder. */
  list(): Promise<string[]>;
}

/** Keeps the folders of runs in `folder`. */
export async function openRunFolders(folder: string, log: Logger): Promise<RunFolders> {
  await Deno.mkdir(folder, { recursive: true });

  function of(name: string): RunFolder {
    const path = join(folder, name);
    return {
      path,
      io: join(path, "io"),
      output: join(path, "output"),
      // The name that agents of earlier versions gave it, whose runs this one may take up.
      created: join(path, "posted"),
      blobs: join(path, "blobs"),
    };
  }

  return {
    of,
    async create(name, { input, token }) {
      const { path, io, blobs } = of(name);
      await removeIfThere(path);
      await Deno.mkdir(io, { recursive: true });
      await Deno.chmod(io, 0o777);
      if (input instanceof Uint8Array) await write(join(io, "input"), input, 0o444);
      else await move(input.path, join(io, "input"), 0o444);
      await write(join(io, "token"), new TextEncoder().encode(token), 0o444);
      await write(join(io, "output"), new Uint8Array(), 0o666);
      await Deno.writeTextFile(join(path, "token"), token);
      await Deno.mkdir(blobs);
      return of(name);
    },
    token: (name) => Deno.readTextFile(join(folder, name, "token")),
    write: (name, file, text) =>
      write(join(of(name).io, file), new TextEncoder().encode(text), 0o444),
    mountDatabase: (name, database) =>
      mountDatabase(database, join(folder, name, `database-${database.label}`)),
    remove: (name) => removeOrWarn(join(folder, name), log),
    list: () => namesIn(folder),
  };
}

/** `copy` is where a copy of its file can be, out of everybody else's reach. */
async function mountDatabase(
  { label, type, path, uri, env = {}, mountMode, request }: DatabaseSource,
  copy: string,
): Promise<MountedDatabase> {
  if (path === undefined) {
    return { database: { label, type, uri: uri ?? "", env, request }, isFile: false };
  }
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile && !info?.isDirectory) {
    throw new RunFolderError(`The database "${label}" is not there: it cannot be found or read.`);
  }
  const { isFile, mode } = info;
  const target = isFile ? targetOfFile(label, path, mountMode) : targetOfFolder(label);
  let source = await Deno.realPath(path);
  const allMayRead = ((mode ?? 0) & 0o004) !== 0;
  if (isFile && (mountMode === "copy" || !allMayRead)) {
    await Deno.copyFile(source, copy);
    await Deno.chmod(copy, 0o444);
    source = copy;
  }
  const mount = { source, target, readOnly: true };
  return { database: { label, type, uri: target, env, request }, isFile, mount };
}

function targetOfFile(label: string, path: string, mountMode: "ro" | "copy" | undefined): string {
  return `${mountMode === "ro" ? "/mnt" : "/mnt/data"}/${label}${extname(basename(path))}`;
}

function targetOfFolder(label: string): string {
  return label === "data" || label === "tmp" ? `/mnt/databases/${label}` : `/mnt/${label}`;
}

async function write(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await Deno.writeFile(path, bytes, { createNew: true });
  await Deno.chmod(path, mode);
}

/** Both are in the data folder, which is mostly one file system. */
async function move(from: string, to: string, mode: number): Promise<void> {
  await Deno.rename(from, to).catch(() => Deno.copyFile(from, to));
  await Deno.chmod(to, mode);
}

/** The names of what lies in a folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

/**
 * What is left over must not take a result with it: the run's end is on the disk when this is
 * called.
 */
export async function removeOrWarn(path: string, log: Logger): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await removeIfThere(path);
    } catch (error) {
      // A file may have been put into it meanwhile, for example by an agent that died since.
      if (tries < REMOVE_TRIES) continue;
      const reason = messageOf(error);
      return log.warn("Cannot remove a folder of runs that are over", { path, reason });
    }
  }
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
