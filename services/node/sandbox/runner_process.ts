/**
 * The process of one run, from its start to its removal. What it is to run comes to it later.
 * @module
 */
import type { RunLimits } from "../run/runtime.ts";
import type { Home } from "./home.ts";
import { createRunFolder, readablePaths, removeFolder } from "./run_folder.ts";
import { behindWalls, heapFlag, type Users, type Walls } from "./walls.ts";

export interface RunnerProcess {
  readonly process: Deno.ChildProcess;
  /** The folder in which it may read. */
  readonly folder: string;
  /** The user that it is, unless it is the agent's own. */
  readonly uid: number | undefined;
  readonly limits: RunLimits;
  /** Whether it has ended. */
  readonly gone: boolean;
  /** Ends it, and everything that it may have started. */
  kill(): void;
  /** Kills it if need be, and removes what it leaves. */
  remove(): Promise<void>;
}

export interface LaunchOptions {
  home: Home;
  walls: Walls;
  users: Users;
  limits: RunLimits;
  /** What it executes: the runner unless given. */
  program?: string;
}

/**
 * Starts the runner behind the walls. Rejects when there is no such program or no room for its
 * folder.
 */
export async function launchRunner(
  { home, walls, users, limits, program = home.runner }: LaunchOptions,
): Promise<RunnerProcess> {
  const uid = walls.ownUser ? users.take() : undefined;
  let folder: string | undefined;
  let gone = false;
  async function cleanUp() {
    try {
      if (folder !== undefined) await removeFolder(folder);
    } finally {
      if (uid !== undefined) users.giveBack(uid);
    }
  }
  try {
    folder = await createRunFolder(home.runs, uid);
    const command = behindWalls(walls, denoCommand({ home, folder, limits, program }), {
      uid,
      limits,
    });
    const process = new Deno.Command(command.command, {
      ...command,
      cwd: folder,
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
    }).spawn();
    offerToKernel(process.pid);
    const ended = process.status.finally(() => gone = true);
    const kill = () => {
      if (!gone) killGroup(process.pid);
    };
    return {
      process,
      folder,
      uid,
      limits,
      get gone() {
        return gone;
      },
      kill,
      async remove() {
        process.ref();
        kill();
        await ended;
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function denoCommand(
  { home, folder, limits, program }: {
    home: Home;
    folder: string;
    limits: RunLimits;
    program: string;
  },
): string[] {
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
    `--allow-read=${readablePaths(folder).join(",")}`,
    "--deny-write",
    "--deny-net",
    "--deny-env",
    "--deny-run",
    "--deny-ffi",
    "--deny-sys",
    "--deny-import",
    heapFlag(limits),
    program,
  ];
}

/** When memory runs out on the machine, the kernel shall take the algorithm and not the agent. */
function offerToKernel(pid: number): void {
  Deno.writeTextFile(`/proc/${pid}/oom_score_adj`, "1000").catch(() => {});
}

function killGroup(pid: number): void {
  // For a moment after its start it is not yet a group, and is alone.
  for (const target of [-pid, pid]) {
    try {
      return Deno.kill(target, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
