/**
 * From a run to the container that is made for it: files, environment, routes outside, walls and
 * limits.
 * @module
 */
import { join } from "node:path";
import { createRequest } from "./create_request.ts";
import type { About } from "./engine.ts";
import { buildEnvironment, type ContainerDatabase } from "./environment.ts";
import { gpuRequests } from "./gpu.ts";
import { PROXY_PORT } from "./network/container_network.ts";
import { hostsFile, hostsOf, LOOPBACK, type Route } from "./network/routes.ts";
import { WHITELIST_PROXY } from "./network/whitelist.ts";
import type { ContainerOptions } from "./options.ts";
import { writeRunContext } from "./run_context.ts";
import {
  type Mount,
  type MountedDatabase,
  type RunFolder,
  RunFolderError,
  type RunFolders,
} from "./run_folder.ts";
import type { RunSpec } from "./run_spec.ts";

const RUN_CONTEXT = "run_context.json";
const TEMPORARY_FOLDER = "/mnt/tmp";

export interface PrepareOptions {
  about: About;
  options: ContainerOptions;
  runFolders: RunFolders;
  runFolder: RunFolder;
  /** The folder that the runs of a job share. */
  temporary: string;
  routes: readonly Route[];
  labels: Record<string, string>;
}

/** What a container is told of itself, by its environment and by its run context. */
interface Told {
  /** Its own folder, as it sees it. */
  folder: string;
  temporaryFolder: string;
  proxy: { host: string; port: number };
  databases: ContainerDatabase[];
}

/** Readies a run's files and gives the body of the engine's create request. */
export async function prepareContainer(
  run: RunSpec,
  { about, options, runFolders, runFolder, temporary, routes, labels }: PrepareOptions,
): Promise<Record<string, unknown>> {
  const folder = `/mnt/data/task-${String(run.resultId).padStart(9, "0")}`;
  const mounted: MountedDatabase[] = [];
  for (const database of run.databases) {
    mounted.push(await runFolders.mountDatabase(run.name, database));
  }
  const mounts: Mount[] = [
    { source: await writeHosts(runFolder, routes), target: "/etc/hosts", readOnly: true },
    { source: runFolder.io, target: folder, readOnly: false },
    { source: temporary, target: TEMPORARY_FOLDER, readOnly: false },
    ...mounted.flatMap(({ mount }) => mount ? [mount] : []),
  ];
  const told: Told = {
    folder,
    temporaryFolder: TEMPORARY_FOLDER,
    proxy: { host: `http://${LOOPBACK}`, port: PROXY_PORT },
    databases: mounted.map(({ database }) => database),
  };
  if (options.runContext) {
    await runFolders.write(run.name, RUN_CONTEXT, contextOf(run, told, mounted));
  }
  return createRequest({
    image: run.imageId,
    env: buildEnvironment({
      ...told,
      ...(options.runContext ? { runContextFile: `${folder}/${RUN_CONTEXT}` } : {}),
      labels: run.labels,
      ...(options.whitelist ? { web: { proxy: WHITELIST_PROXY, except: hostsOf(routes) } } : {}),
      extra: options.algorithmEnv,
    }),
    mounts,
    labels,
    limits: { ...options.limits, ...run.limits },
    devices: options.gpu ? gpuRequests(about.podman) : [],
  }, about);
}

/** Writes the container's hosts file; gives its path. */
async function writeHosts({ path }: RunFolder, routes: readonly Route[]): Promise<string> {
  const hosts = join(path, "hosts");
  await Deno.writeTextFile(hosts, hostsFile(routes));
  await Deno.chmod(hosts, 0o444);
  return hosts;
}

/**
 * The text of the file with a run's context. Throws a {@linkcode RunFolderError} when there is more
 * than it can tell.
 */
function contextOf(
  { context, resultId }: RunSpec,
  told: Told,
  mounted: readonly MountedDatabase[],
): string {
  const odd = mounted.find(({ isFile }) => !isFile);
  if (odd) {
    throw new RunFolderError(
      `The database "${odd.database.label}" is no file, and this node's run_context_file is for files alone.`,
    );
  }
  if (!context) {
    throw new RunFolderError(
      "The input is too large to be read, and this node's run_context_file tells what stands in it.",
    );
  }
  return writeRunContext({ run: { ...context, resultId }, ...told });
}
