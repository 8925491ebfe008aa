/**
 * Runs an algorithm in a `deno run` that may do nothing but compute on its databases and speak to the agent over its
 * standard streams. It needs no container engine and no root; what protects the machine beyond Deno's permissions
 * is in `walls.ts`.
 * @module
 */
import type { Logger } from "../../../shared/log.ts";
import {
  type Home,
  makeHome,
  makeRunFolder,
  removeFolder,
  type RunFolder,
  RunFolderError,
} from "./run_folder.ts";
import type { Outcome, RunHandle, RunSpec, Runtime } from "./runtime.ts";
import { supervise } from "./supervise.ts";
import {
  behindWalls,
  createUsers,
  describeWalls,
  findWalls,
  heapFlag,
  type Wall,
} from "./walls.ts";

export interface SandboxOptions {
  /** The agent's data folder, which no other agent uses at the same time. */
  folder: string;
  log: Logger;
  /** The Deno that runs algorithms. */
  deno?: string;
  /** How much of what a run prints is kept. */
  maxLogBytes?: number;
}

export interface Sandbox extends Runtime {
  /** What protects this machine from an algorithm. */
  readonly walls: Wall[];
  /** Removes the sandbox's files; to be called when no run is under way. */
  close(): Promise<void>;
}

/** Gets the machine ready to run algorithms. Throws when it cannot, naming the folder in the way. */
export async function createSandbox(
  { folder, log, deno = Deno.execPath(), maxLogBytes = 2 ** 20 }: SandboxOptions,
): Promise<Sandbox> {
  const walls = await findWalls();
  const ownUser = walls.ownUser !== undefined;
  const home = await makeHome(folder, { ownUser, deno });
  const users = createUsers();

  async function start(spec: RunSpec): Promise<RunHandle> {
    const uid = ownUser ? users.take() : undefined;
    let place: RunFolder | undefined;
    async function cleanUp() {
      if (place) await removeFolder(place.path);
      if (uid !== undefined) users.giveBack(uid);
    }
    try {
      place = await makeRunFolder(home, spec, uid);
      const command = behindWalls(walls, denoCommand(home, place, spec), {
        uid,
        limits: spec.limits,
      });
      const process = new Deno.Command(command.command, {
        ...command,
        cwd: place.path,
        clearEnv: true,
        env: {
          DENO_DIR: home.cache,
          DENO_CACHE_DB_MODE: "in-memory",
          DENO_EMIT_CACHE_MODE: "disable",
          DENO_NO_UPDATE_CHECK: "1",
          // The web's GPU interface asks for no permission, and loads the machine's drivers.
          DENO_WEBGPU_BACKEND: "noop",
          HOME: "/nonexistent",
          NO_COLOR: "1",
        },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        detached: true,
      }).spawn();
      offerToKernel(process.pid);
      return supervise({ process, place, spec, maxLogBytes, log, cleanUp });
    } catch (error) {
      await cleanUp();
      if (!(error instanceof RunFolderError)) log.error("Cannot start a sandbox", { error });
      const reason = error instanceof RunFolderError
        ? error.message
        : "The node could not start its sandbox; its own log says why.";
      const outcome: Outcome = { status: "start failed", result: null, log: "", reason };
      return { done: Promise.resolve(outcome), kill: () => Promise.resolve() };
    }
  }

  return {
    name: "sandbox",
    walls: await describeWalls(walls),
    start,
    close: home.remove,
  };
}

function denoCommand(home: Home, place: RunFolder, { limits }: RunSpec): string[] {
  const readable = [place.algorithm, ...place.databases.map(({ path }) => path)];
  return [
    home.deno,
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    // A cache of compiled code would cost more than it saves in a process that starts once.
    "--no-code-cache",
    `--allow-read=${readable.join(",")}`,
    "--deny-write",
    "--deny-net",
    "--deny-env",
    "--deny-run",
    "--deny-ffi",
    "--deny-sys",
    "--deny-import",
    heapFlag(limits),
    home.runner,
  ];
}

/** When memory runs out on the machine, the kernel shall take the algorithm and not the agent. */
function offerToKernel(pid: number): void {
  Deno.writeTextFile(`/proc/${pid}/oom_score_adj`, "1000").catch(() => {});
}
