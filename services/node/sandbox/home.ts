/**
 * The files of the sandbox that all runs share: the runner's code, and the folder that holds their
 * folders.
 * @module
 */
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type HeldFolder, makeHeldFolder, removeLeftFolders } from "../record/held_folder.ts";
import { removeFolder } from "./run_folder.ts";

/** Where runs that are users of their own can get to, whoever owns the agent's data folder. */
const OPEN_FOLDER = "/var/tmp/sextant-sandbox";
const SOURCE = fileURLToPath(new URL("../../..", import.meta.url));
const RUNNER = "services/node/sandbox/runner.ts";
/** An import of a file of ours, once types are gone. */
const IMPORT = /^(?:import|export)\b[^;]*?from "(\.[^"]+)";/gm;
/** Computes what is asked of a run's tables. */
const GUARD = "services/node/disclosure/guarded/process.ts";

/** Where the sandbox keeps its files. */
export interface Home {
  /** Folder of folders of runs. */
  runs: string;
  runner: string;
  guard: string;
  /** The program that runs it. */
  deno: string;
  /** An empty folder that no run can write to, for Deno to keep its caches in. */
  cache: string;
  remove(): Promise<void>;
}

/**
 * Makes the sandbox's folder in `folder`, empty of earlier runs. Where runs are users of their own,
 * who cannot get to `folder` when it is private, it is below /var/tmp instead. What agents that
 * have died left is removed, in the one place and the other.
 */
export async function createHome(
  folder: string,
  { ownUser, deno }: { ownUser: boolean; deno: string },
): Promise<Home> {
  const inTheOpen = ownUser && !await isOpenToAll(folder);
  const inFolder = join(folder, "sandbox");
  const held = inTheOpen ? await holdInOpenFolder() : undefined;
  // The earlier agent may have had other rights, and so another place.
  if (held) await removeFolder(inFolder);
  else await removeLeftFolders(OPEN_FOLDER, "").catch(() => {});
  const path = held?.path ?? inFolder;
  if (path.includes(",")) {
    throw new Error(
      `Cannot use ${path} for the sandbox: Deno takes a comma for the end of a path. Choose another folder.`,
    );
  }
  await createOwnFolder(path);
  const runs = join(path, "runs");
  const code = join(path, "code");
  const cache = join(path, "cache");
  await removeFolder(runs);
  for (const part of [runs, cache, code]) await createOwnFolder(part);
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
    guard: join(code, GUARD.replace(/\.ts$/, ".js")),
    deno: program,
    cache,
    remove: () => held ? held.remove() : removeFolder(path),
  };
}

/** Makes a new folder where every user can get to it. */
async function holdInOpenFolder(): Promise<HeldFolder> {
  await createOwnFolder(OPEN_FOLDER);
  return await makeHeldFolder(OPEN_FOLDER, "");
}

/**
 * Lays down the runner and the guard, and all that they import, as plain JavaScript, so that no run
 * has to make it that. The copies lie to each other as the files do.
 */
async function writeCode(folder: string): Promise<void> {
  const names = new Set([RUNNER, GUARD]);
  const folders = new Set<string>();
  // What is found on the way is visited, too.
  for (const name of names) {
    const text = stripTypeScriptTypes(await Deno.readTextFile(join(SOURCE, name)));
    for (const [, path] of text.matchAll(IMPORT)) names.add(join(dirname(name), path!));
    let part = "";
    for (const one of dirname(name).split("/")) {
      part = join(part, one);
      if (!folders.has(part)) await createOwnFolder(join(folder, part));
      folders.add(part);
    }
    const path = join(folder, name.replace(/\.ts$/, ".js"));
    await Deno.writeTextFile(path, text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
    await Deno.chmod(path, 0o644);
  }
}

/** A folder that all may pass through and only this process's user may change. */
async function createOwnFolder(path: string): Promise<void> {
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
