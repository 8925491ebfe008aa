/**
 * Runs an algorithm in a `deno run` that may do nothing but compute on its databases and speak to
 * the agent over its standard streams. It needs no container engine and no root; what protects the
 * machine beyond Deno's permissions is in `walls.ts`.
 *
 * Runners are started in advance (`waiting_runners.ts`).
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../../shared/service/log.ts";
import { createGuard } from "../disclosure/guarded/guard.ts";
import { endedAtOnce } from "../run/outcome.ts";
import type { RunHandle, RunLimits } from "../run/runtime.ts";
import { createHome } from "./home.ts";
import {
  fillRunFolder,
  handInDatabases,
  removeFolder,
  type RunFolder,
  RunFolderError,
} from "./run_folder.ts";
import type { RunSpec } from "./run_spec.ts";
import { launchRunner, type RunnerProcess } from "./runner_process.ts";
import { supervise } from "./supervise.ts";
import { createWaitingRunners, howManyWait } from "./waiting_runners.ts";
import { createUsers, describeWalls, findWalls, type Wall } from "./walls.ts";

export interface SandboxOptions {
  /** The agent's data folder, which no other agent uses at the same time. */
  folder: string;
  log: Logger;
  /** Limits of the first run, if they are known before. */
  limits?: RunLimits;
  /** Runs that may compute at once: so many runners wait, if there is memory for them. */
  maxRuns?: number;
  /** The Deno that runs algorithms. */
  deno?: string;
  /** How much of what a run prints is kept. */
  maxLogBytes?: number;
}

export interface Sandbox {
  /** Starts a run. What is wrong with the run itself is its outcome, not a rejection. */
  start(run: RunSpec): Promise<RunHandle>;
  /** What protects this machine from an algorithm. */
  readonly walls: Wall[];
  /** Removes the sandbox's files; to be called when no run is under way. */
  close(): Promise<void>;
}

/**
 * Gets the machine ready to run algorithms. Throws when it cannot, naming the folder in the way.
 */
export async function createSandbox(
  {
    folder,
    log,
    limits,
    maxRuns = 1,
    deno = Deno.execPath(),
    maxLogBytes = 2 ** 20,
  }: SandboxOptions,
): Promise<Sandbox> {
  const walls = await findWalls();
  const home = await createHome(folder, { ownUser: walls.ownUser !== undefined, deno });
  const users = createUsers();
  // The agent's alone. What an earlier agent left here was never promised to anybody.
  const results = join(folder, "results");
  await removeFolder(results);
  await Deno.mkdir(results, { mode: 0o700 });
  const launch = (limits: RunLimits) => launchRunner({ home, walls, users, limits });
  const freeMiB = Deno.systemMemoryInfo().available / 2 ** 20;
  const waiting = createWaitingRunners({ launch, count: howManyWait({ maxRuns, freeMiB }), log });

  async function start(spec: RunSpec): Promise<RunHandle> {
    const runLog = log.with({ run: spec.name });
    let runner: RunnerProcess | undefined;
    let runFolder: RunFolder;
    try {
      // Those that wait are for runs, which somebody waits for.
      const waits = spec.input === null ? undefined : await waiting.take(spec.limits);
      runner = waits ?? await launch(spec.limits);
      runFolder = await fillRunFolder(runner.folder, spec, runner.uid);
    } catch (error) {
      await runner?.remove();
      const known = error instanceof RunFolderError;
      if (!known) runLog.error("Cannot start a run", { error });
      const reason = known
        ? error.message
        : "The node could not start its sandbox; its own log says why.";
      return endedAtOnce({ status: "start failed", reason });
    } finally {
      waiting.refill(spec.limits);
    }
    try {
      await spec.noted;
    } catch (error) {
      await runner.remove();
      throw error;
    }
    const resultPath = join(results, spec.name);
    const guard = guardOf(spec, runLog);
    return supervise({ runner, runFolder, spec, guard, resultPath, maxLogBytes, log: runLog });
  }

  /** Answers questions about the run's tables, in a process like the run's own. */
  function guardOf(spec: RunSpec, log: Logger) {
    const { databases, place, access, allowWhere = true, limits, mayTell } = spec;
    return createGuard({
      mayTell,
      databases: access === "none" ? [] : databases,
      rules: place.disclosure,
      allowWhere,
      log,
      async launch() {
        const process = await launchRunner({ home, walls, users, limits, program: home.guard });
        try {
          const { folder, uid } = process;
          return { process, databases: await handInDatabases(folder, databases, uid) };
        } catch (error) {
          await process.remove();
          throw error;
        }
      },
    });
  }

  if (limits) waiting.refill(limits, 0);
  return {
    walls: await describeWalls(walls),
    start,
    async close() {
      await waiting.close();
      await home.remove();
      await removeFolder(results);
    },
  };
}
