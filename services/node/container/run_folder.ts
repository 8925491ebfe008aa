/**
 * The files of container runs: one folder for each, of which its container sees `io` and nothing else.
 *
 * The folder above them all is the agent's alone, so what lies below may be open to whatever user an image has.
 * @module
 */
import { basename, extname, join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { ContentFile } from "../payload/pieces.ts";
import type { ContainerDatabase } from "./environment.ts";

/** A database of the node, as far as a container is concerned. */
export interface DatabaseSource {
  label: string;
  type: string;
  /** Absolute path of a file or folder. */
  path?: string | undefined;
  /** Anything else, as it is configured. */
  uri?: string | undefined;
  env?: Record<string, string> | undefined;
  /** `copy`: the run gets a copy of the file. `ro`: the file itself, where the field has it then. */
  mountMode?: "ro" | "copy" | undefined;
  request: Record<string, unknown>;
}

/** A folder or file of this machine that a container gets. */
export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

export interface Place {
  path: string;
  /** Host side of what the container sees as its own folder. */
  io: string;
  /** Where its result is once it has ended: out of reach of every container. */
  output: string;
  /** Where the number of this run's subtasks is remembered. */
  posted: string;
  /** Where blobs lie on their way from and to the run. */
  blobs: string;
}

/** A database cannot be handed in. The message is for the researcher and names no path. */
export class PlaceError extends Error {
  override name = "PlaceError";
}

export interface Places {
  /** An input that lies in a file is moved from there. */
  make(name: string, files: { input: Uint8Array | ContentFile; token: string }): Promise<Place>;
  /** Adds a file that the container reads. */
  write(name: string, file: string, text: string): Promise<void>;
  /** The place of a run that was made before. */
  find(name: string): Place;
  token(name: string): Promise<string>;
  /** The temporary folder that runs of one job share; made if need be. */
  temporary(jobId: number): Promise<string>;
  /** Never rejects, nor does the next one: a folder that cannot be removed now is named in the log. */
  remove(name: string): Promise<void>;
  removeTemporary(jobId: number): Promise<void>;
  /** Names of all runs that have a place. */
  runs(): Promise<string[]>;
  jobs(): Promise<number[]>;
  /** How a database is handed to a run. Throws a {@linkcode PlaceError}. */
  hand(
    name: string,
    database: DatabaseSource,
  ): Promise<{ database: ContainerDatabase; isFile: boolean; mount?: Mount }>;
}

export async function openPlaces(folder: string, log: Logger): Promise<Places> {
  const runs = join(folder, "runs");
  const temporary = join(folder, "tmp");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.chmod(folder, 0o700);
  for (const path of [runs, temporary]) await Deno.mkdir(path, { recursive: true });

  function find(name: string): Place {
    const path = join(runs, name);
    return {
      path,
      io: join(path, "io"),
      output: join(path, "output"),
      posted: join(path, "posted"),
      blobs: join(path, "blobs"),
    };
  }

  /** What is left over must not take a result with it: the run's end is on the disk when this is called. */
  async function clear(path: string): Promise<void> {
    await remove(path).catch((error) =>
      log.warn("Cannot remove a folder of runs that are over", { path, reason: messageOf(error) })
    );
  }

  return {
    find,
    async make(name, { input, token }) {
      const place = find(name);
      await remove(place.path);
      await Deno.mkdir(place.io, { recursive: true });
      await Deno.chmod(place.io, 0o777);
      if (input instanceof Uint8Array) await write(join(place.io, "input"), input, 0o444);
      else await move(input.path, join(place.io, "input"), 0o444);
      await write(join(place.io, "token"), new TextEncoder().encode(token), 0o444);
      await write(join(place.io, "output"), new Uint8Array(), 0o666);
      await Deno.writeTextFile(join(place.path, "token"), token);
      await Deno.mkdir(place.blobs);
      return place;
    },
    write: (name, file, text) =>
      write(join(find(name).io, file), new TextEncoder().encode(text), 0o444),
    token: (name) => Deno.readTextFile(join(runs, name, "token")),
    async temporary(jobId) {
      const path = join(temporary, String(jobId));
      await Deno.mkdir(path, { recursive: true });
      await Deno.chmod(path, 0o777);
      return path;
    },
    remove: (name) => clear(join(runs, name)),
    removeTemporary: (jobId) => clear(join(temporary, String(jobId))),
    runs: () => names(runs),
    jobs: async () => (await names(temporary)).map(Number).filter(Number.isInteger),

    async hand(name, { label, type, path, uri, env = {}, mountMode, request }) {
      if (path === undefined) {
        return { database: { label, type, uri: uri ?? "", env, request }, isFile: false };
      }
      const info = await Deno.stat(path).catch(() => undefined);
      if (!info?.isFile && !info?.isDirectory) {
        throw new PlaceError(`The database "${label}" is not there: it cannot be found or read.`);
      }
      const target = info.isFile
        ? `${mountMode === "ro" ? "/mnt" : "/mnt/data"}/${label}${extname(basename(path))}`
        : folderFor(label);
      const source = await Deno.realPath(path);
      const mount = {
        source: info.isFile
          ? await readable(
            source,
            info,
            join(runs, name, `database-${label}`),
            mountMode === "copy",
          )
          : source,
        target,
        readOnly: true,
      };
      return { database: { label, type, uri: target, env, request }, isFile: info.isFile, mount };
    },
  };
}

function folderFor(label: string): string {
  return label === "data" || label === "tmp" ? `/mnt/databases/${label}` : `/mnt/${label}`;
}

/** The file itself if any user can read it; else a copy that any user can, out of everybody else's reach. */
async function readable(
  source: string,
  info: Deno.FileInfo,
  copy: string,
  always: boolean,
): Promise<string> {
  if (!always && ((info.mode ?? 0) & 0o004) !== 0) return source;
  await Deno.copyFile(source, copy);
  await Deno.chmod(copy, 0o444);
  return copy;
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

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
