/**
 * The folder of a run in the sandbox, with what the run may read.
 * @module
 */
import { join } from "node:path";
import type { RunSpec } from "./run_spec.ts";

const EXTENSIONS = [".ts", ".js", ".mts", ".mjs"];
const MAX_DATABASES = 32;
/** Of a file of columns that `data/tables.ts` has made: nobody can change it. */
const COLUMNS_MODE = 0o444;

/**
 * The algorithm or a database cannot be handed in. The message is for the researcher and names no
 * path.
 */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

/** A run's folder and what is in it. */
export interface RunFolder {
  path: string;
  algorithm: string;
  /** Where the call is, if it lies in a file. */
  input: string;
  databases: { label: string; path: string }[];
}

/** Makes an empty folder for a run that is to be user `uid`, if any. */
export async function createRunFolder(runs: string, uid: number | undefined): Promise<string> {
  const path = await Deno.makeTempDir({ dir: runs });
  try {
    if (uid !== undefined) {
      await Deno.chown(path, null, uid);
      await Deno.chmod(path, 0o710);
    }
    return path;
  } catch (error) {
    await removeFolder(path);
    throw error;
  }
}

/** Every path at which a run may find something to read in its folder, whether or not it does. */
export function readablePaths(folder: string): string[] {
  return [
    ...EXTENSIONS.map((extension) => join(folder, `algorithm${extension}`)),
    inputPath(folder),
    ...Array.from({ length: MAX_DATABASES }, (_, index) => databasePath(folder, index)),
  ];
}

/**
 * Puts into a run's folder what the run is to read. Throws a {@linkcode RunFolderError} for what
 * cannot be handed in.
 */
export async function fillRunFolder(
  path: string,
  { algorithm, input, databases, access = "rows" }: Pick<
    RunSpec,
    "algorithm" | "input" | "databases" | "access"
  >,
  uid: number | undefined,
): Promise<RunFolder> {
  const extension = EXTENSIONS.find((extension) => algorithm.name.endsWith(extension)) ?? ".ts";
  const folder: RunFolder = {
    path,
    algorithm: join(path, `algorithm${extension}`),
    input: inputPath(path),
    databases: [],
  };
  const [found] = await together([
    access === "rows" ? handInDatabases(path, databases, uid) : [],
    handIn(algorithm.path, folder.algorithm, uid, `The algorithm ${algorithm.name}`),
    input && "path" in input ? handIn(input.path, folder.input, uid, "The input") : undefined,
  ]);
  folder.databases = found;
  return folder;
}

/** Puts databases into a run's folder. Throws a {@linkcode RunFolderError} as that does. */
export async function handInDatabases(
  folder: string,
  databases: RunSpec["databases"],
  uid: number | undefined,
): Promise<RunFolder["databases"]> {
  if (databases.length > MAX_DATABASES) {
    throw new RunFolderError(`The task names more than ${MAX_DATABASES} databases.`);
  }
  return await together(databases.map(async ({ label, path: source }, index) => {
    const target = databasePath(folder, index);
    await handInColumns(source, target, uid, `The database "${label}"`);
    return { label, path: target };
  }));
}

/**
 * All at once, for somebody waits for the run; rejects as the first of them does, but only when
 * none is under way any more that the folder could not be removed from under.
 */
async function together<All extends readonly unknown[] | []>(
  all: All,
): Promise<{ -readonly [At in keyof All]: Awaited<All[At]> }> {
  await Promise.allSettled(all);
  return await Promise.all(all);
}

function inputPath(folder: string): string {
  return join(folder, "input");
}

function databasePath(folder: string, index: number): string {
  return join(folder, `database-${index}`);
}

export async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
}

/** The real path of a file that is one: Deno follows symbolic links, past every permission. */
async function regularFile(path: string, what: string): Promise<string> {
  const info = await Deno.lstat(path).catch((cause) => {
    throw new RunFolderError(`${what} is not there: its file cannot be found or read.`, { cause });
  });
  if (info.isSymlink) {
    throw new RunFolderError(
      `${what} is refused: its file is a symbolic link. Name the file itself.`,
    );
  }
  if (!info.isFile) throw new RunFolderError(`${what} is refused: it is not a regular file.`);
  return await Deno.realPath(path);
}

/**
 * Makes `source` readable at `target`: for another user as a copy that is only for it, else without
 * one if possible.
 */
async function handIn(
  source: string,
  target: string,
  uid: number | undefined,
  what: string,
): Promise<void> {
  const path = await regularFile(source, what);
  if (uid === undefined) {
    // A link cannot be made across file systems, nor to some files of other users.
    return await Deno.link(path, target).catch(() => Deno.copyFile(path, target));
  }
  await Deno.copyFile(path, target);
  await Deno.chmod(target, 0o440);
  await Deno.chown(target, null, uid);
}

/**
 * Makes a file of columns readable at `target`, without a copy where that can be: it may be as
 * large as a disk is. All may read the file, but only who can enter the folder of a run, and that
 * is the run's own user, finds it there.
 */
async function handInColumns(
  source: string,
  target: string,
  uid: number | undefined,
  what: string,
): Promise<void> {
  const path = await regularFile(source, what);
  const isOpen = ((await Deno.stat(path)).mode! & 0o777) === COLUMNS_MODE;
  if (isOpen && await Deno.link(path, target).then(() => true, () => false)) return;
  await handIn(source, target, uid, what);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
