/**
 * The files of the sandbox: the runner's code for all runs, and a folder for each run with what it may read.
 * @module
 */
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunSpec } from "../run/runtime.ts";

const ELSEWHERE = "/var/tmp/sextant-sandbox";
const SOURCE = fileURLToPath(new URL("../../..", import.meta.url));
const RUNNER = "services/node/sandbox/runner.ts";
/** The runner and everything that it imports; the copies lie to each other as these do. */
const CODE = [
  RUNNER,
  "services/node/data/table.ts",
  "services/node/data/csv.ts",
  "shared/command_line/closest.ts",
];
const CODE_FOLDERS = [
  "services",
  "services/node",
  "services/node/sandbox",
  "services/node/data",
  "shared",
  "shared/command_line",
];

const EXTENSIONS = [".ts", ".js", ".mts", ".mjs"];
const MAX_DATABASES = 32;

/** The algorithm or a database cannot be handed in. The message is for the researcher and names no path. */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

/** Where the sandbox keeps its files. */
export interface Home {
  /** Folder of folders of runs. */
  runs: string;
  runner: string;
  /** The program that runs it. */
  deno: string;
  /** An empty folder that no run can write to, for Deno to keep its caches in. */
  cache: string;
  remove(): Promise<void>;
}

/** A run's folder and what is in it. */
export interface RunFolder {
  path: string;
  algorithm: string;
  /** Where the call is, if it lies in a file. */
  input: string;
  databases: { label: string; path: string }[];
}

/**
 * Makes the sandbox's place in `folder`, empty of earlier runs. Where runs are users of their own who cannot get to
 * `folder`, because it is private, the place is below /var/tmp instead; what agents that have died left there goes.
 */
export async function makeHome(
  folder: string,
  { ownUser, deno }: { ownUser: boolean; deno: string },
): Promise<Home> {
  const elsewhere = ownUser && !await isOpenToAll(folder);
  const path = elsewhere ? await makeElsewhere() : join(folder, "sandbox");
  if (path.includes(",")) {
    throw new Error(
      `Cannot use ${path} for the sandbox: Deno takes a comma for the end of a path. Choose another folder.`,
    );
  }
  await makeOwn(path);
  const lock = elsewhere ? await takeLock(path) : undefined;
  const runs = join(path, "runs");
  const code = join(path, "code");
  const cache = join(path, "cache");
  await removeFolder(runs);
  for (const part of [runs, cache, code]) await makeOwn(part);
  for (const part of CODE_FOLDERS) await makeOwn(join(code, part));
  // Whatever Deno would keep from one run to the next, as localStorage, it must not.
  await Deno.chmod(cache, 0o555);
  await writeCode(code);
  let program = deno;
  if (ownUser && !await isOpenToAll(deno)) {
    program = join(path, "deno");
    await Deno.copyFile(deno, program);
    await Deno.chmod(program, 0o755);
  }
  return {
    runs,
    runner: join(code, RUNNER.replace(/\.ts$/, ".js")),
    deno: program,
    cache,
    async remove() {
      await removeFolder(path);
      lock?.close();
    },
  };
}

/** Makes a new folder in a place that every user can get to, and removes there what no process holds any more. */
async function makeElsewhere(): Promise<string> {
  await makeOwn(ELSEWHERE);
  for await (const { name } of Deno.readDir(ELSEWHERE)) {
    const path = join(ELSEWHERE, name);
    const lock = await takeLock(path, { create: false }).catch(() => undefined);
    if (lock) await removeFolder(path);
    lock?.close();
  }
  return await Deno.makeTempDir({ dir: ELSEWHERE });
}

/** Holds a folder until the file is closed, or this process dies. */
async function takeLock(folder: string, { create = true } = {}): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(join(folder, "lock"), { write: true, create, mode: 0o600 });
  if (await file.tryLock(true)) return file;
  file.close();
}

/** Lays down the runner as plain JavaScript, so that no run has to make it that. */
async function writeCode(folder: string): Promise<void> {
  for (const name of CODE) {
    const text = stripTypeScriptTypes(await Deno.readTextFile(join(SOURCE, name)));
    const path = join(folder, name.replace(/\.ts$/, ".js"));
    await Deno.writeTextFile(path, text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
    await Deno.chmod(path, 0o644);
  }
}

/** A folder that all may pass through and only this process's user may change. */
async function makeOwn(path: string): Promise<void> {
  await Deno.mkdir(path).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const info = await Deno.lstat(path);
  if (!info.isDirectory || info.uid !== Deno.uid()) {
    throw new Error(
      `Cannot use ${path} for the sandbox: it is not a folder of this user. Remove it, then start again.`,
    );
  }
  await Deno.chmod(path, 0o711);
}

/** Whether any user may get to `path` (and execute it, as a file). */
async function isOpenToAll(path: string): Promise<boolean> {
  for (let at = await Deno.realPath(path);; at = dirname(at)) {
    const { mode } = await Deno.stat(at);
    if (mode !== null && (mode & 0o001) === 0) return false;
    if (at === "/") return true;
  }
}

/** Makes an empty folder for a run that is to be user `uid`, if any. */
export async function makeRunFolder(home: Home, uid: number | undefined): Promise<string> {
  const path = await Deno.makeTempDir({ dir: home.runs });
  if (uid !== undefined) {
    await Deno.chown(path, null, uid);
    await Deno.chmod(path, 0o710);
  }
  return path;
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
 * Puts into a run's folder what the run is to read. Throws a {@linkcode RunFolderError} for what cannot be handed in.
 */
export async function fillRunFolder(
  path: string,
  { algorithm, input, databases }: Pick<RunSpec, "algorithm" | "input" | "databases">,
  uid: number | undefined,
): Promise<RunFolder> {
  if (databases.length > MAX_DATABASES) {
    throw new RunFolderError(`The task names more than ${MAX_DATABASES} databases.`);
  }
  const extension = EXTENSIONS.find((extension) => algorithm.name.endsWith(extension)) ?? ".ts";
  const folder: RunFolder = {
    path,
    algorithm: join(path, `algorithm${extension}`),
    input: inputPath(path),
    databases: [],
  };
  await hand(algorithm.path, folder.algorithm, uid, `The algorithm ${algorithm.name}`);
  if ("path" in input) await hand(input.path, folder.input, uid, "The input");
  for (const [index, { label, path: source }] of databases.entries()) {
    const target = databasePath(path, index);
    await hand(source, target, uid, `The database "${label}"`);
    folder.databases.push({ label, path: target });
  }
  return folder;
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

/** Makes `source` readable at `target`: for another user as a copy that is only for it, else without one if possible. */
async function hand(
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

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
