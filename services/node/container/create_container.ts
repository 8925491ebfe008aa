/**
 * From a run to the container that is made for it: files, environment, ways outside, walls and limits.
 * @module
 */
import { join } from "node:path";
import { createBody } from "./container_spec.ts";
import type { ContainerOptions, ContainerRun } from "./options.ts";
import type { About } from "./engine.ts";
import { buildEnvironment } from "./environment.ts";
import { gpuRequests } from "./gpu.ts";
import { PROXY_PORT } from "./network/ways_out.ts";
import { type Mount, type Place, PlaceError, type Places } from "./run_folder.ts";
import { hostsFile, LOOPBACK, namesOf, type Way } from "./network/addresses.ts";
import { writeRunContext } from "./run_context.ts";
import { WHITELIST_PROXY } from "./network/whitelist.ts";

const RUN_CONTEXT = "run_context.json";
const TEMPORARY_FOLDER = "/mnt/tmp";

export interface DescribeOptions {
  about: About;
  options: ContainerOptions;
  places: Places;
  place: Place;
  /** The folder that the runs of a job share. */
  temporary: string;
  ways: readonly Way[];
  labels: Record<string, string>;
}

/** Readies a run's files and gives the body of the engine's create request. */
export async function describeContainer(
  run: ContainerRun,
  { about, options, places, place, temporary, ways, labels }: DescribeOptions,
): Promise<Record<string, unknown>> {
  const own = `/mnt/data/task-${String(run.resultId).padStart(9, "0")}`;
  const handed = [];
  for (const database of run.databases) handed.push(await places.hand(run.name, database));
  const hosts = join(place.path, "hosts");
  await Deno.writeTextFile(hosts, hostsFile(ways));
  await Deno.chmod(hosts, 0o444);
  const mounts: Mount[] = [
    { source: hosts, target: "/etc/hosts", readOnly: true },
    { source: place.io, target: own, readOnly: false },
    { source: temporary, target: TEMPORARY_FOLDER, readOnly: false },
    ...handed.flatMap(({ mount }) => mount ? [mount] : []),
  ];
  const told = {
    folder: own,
    temporaryFolder: TEMPORARY_FOLDER,
    proxy: { host: `http://${LOOPBACK}`, port: PROXY_PORT },
    databases: handed.map(({ database }) => database),
  };
  if (options.runContext) {
    const odd = handed.find(({ isFile }) => !isFile);
    if (odd) {
      throw new PlaceError(
        `The database "${odd.database.label}" is no file, and this node's run_context_file is for files alone.`,
      );
    }
    if (!run.context) {
      throw new PlaceError(
        "The input is too large to be read, and this node's run_context_file tells what stands in it.",
      );
    }
    const context = writeRunContext({ run: { ...run.context, resultId: run.resultId }, ...told });
    await places.write(run.name, RUN_CONTEXT, context);
  }
  return createBody({
    image: run.imageId,
    env: buildEnvironment({
      ...told,
      ...(options.runContext ? { runContextFile: `${own}/${RUN_CONTEXT}` } : {}),
      labels: run.labels,
      ...(options.whitelist ? { web: { proxy: WHITELIST_PROXY, except: namesOf(ways) } } : {}),
      extra: options.algorithmEnv,
    }),
    mounts,
    labels,
    limits: { ...options.limits, ...run.limits },
    devices: options.gpu ? gpuRequests(about.podman) : [],
  }, about);
}
