/**
 * Where a hub is: the data folder of `deno task up`, or what the environment names, as in
 * compose.yaml.
 * @module
 */
import { join } from "node:path";
import { clusterDatabaseUrl, isCluster } from "../cluster/kind.ts";
import { lockIfFree, readPorts } from "../deployment.ts";
import type { NamedDeployment } from "../named_deployment.ts";
import { findPostgresBinaries } from "../postgres_binaries.ts";
import { POSTGRES_ADMIN, postgresUrl, socketFolderOf, startPostgres } from "../postgres.ts";
import { LOOPBACK } from "../servers.ts";
import { type Settings, settingsIn } from "../settings.ts";
import { readSettings } from "./kept_settings.ts";
import { findDumpPrograms } from "./postgres_programs.ts";

/** A hub whose database can be reached. */
export interface OpenHub {
  /** Holds the deployment's keys, each in the folder of its service. */
  folder: string;
  /** The address of a database of the server, for its administrator. */
  adminUrl(database: string): string;
  /** The folder with `pg_dump`. */
  programs: string;
  settings: Settings;
  /** The file with the ports of last time, where there is one. */
  ports: string | undefined;
  close(): Promise<void>;
}

/** Opens the hub that the environment names. */
export function openNamed({ folder, adminUrl }: NamedDeployment): OpenHub {
  return {
    folder,
    adminUrl,
    programs: findDumpPrograms(undefined),
    settings: settingsIn(Deno.env.toObject()),
    ports: undefined,
    close: () => Promise.resolve(),
  };
}

/**
 * Opens the hub of `deno task up` in a data folder, whether or not it runs: when it does not, its
 * database server is started until `close()`. Throws when there is none.
 */
export async function openDataFolder(folder: string): Promise<OpenHub> {
  const postgres = join(folder, "postgres");
  const passwordFile = join(folder, "database", POSTGRES_ADMIN);
  const password = await Deno.readTextFile(passwordFile).catch((cause) => {
    throw new Error(
      `Cannot back up: there is no hub in ${folder}. Name its data folder with --data.`,
      { cause },
    );
  });
  const programs = findDumpPrograms(findPostgresBinaries());
  const lock = await lockIfFree(folder);
  const facts = {
    folder,
    programs,
    settings: await readSettings(folder) ?? settingsIn(Deno.env.toObject()),
    ports: await readIfThere(join(folder, "ports.json")),
  };
  if (isCluster(folder)) {
    lock?.release();
    return { ...facts, ...await openCluster(folder, password, lock === undefined) };
  }
  let socketFolder = socketFolderOf(postgres);
  let close = () => Promise.resolve();
  if (lock) {
    try {
      const server = await startPostgres({
        folder: postgres,
        cacheFolder: join(folder, "cache"),
        adminPassword: password,
      });
      socketFolder = server.socketFolder;
      close = () => server.stop().finally(lock.release);
    } catch (error) {
      lock.release();
      throw error;
    }
  }
  return {
    ...facts,
    adminUrl: (database) => postgresUrl(socketFolder, { role: POSTGRES_ADMIN, password, database }),
    close,
  };
}

/**
 * The database of a cluster that runs: which of its servers has all, its Patronis have to agree on.
 */
async function openCluster(
  folder: string,
  password: string,
  runs: boolean,
): Promise<Pick<OpenHub, "adminUrl" | "close">> {
  if (!runs) {
    throw new Error(
      `Cannot back up: the cluster in ${folder} does not run. Start it with deno task up --cluster.`,
    );
  }
  const { postgres, "postgres-2": second } = await readPorts(folder);
  if (!postgres || !second) {
    throw new Error(`Cannot back up: ${folder} does not say where its databases are (ports.json)`);
  }
  return {
    adminUrl: (database) =>
      clusterDatabaseUrl([postgres, second].map((port) => `${LOOPBACK}:${port}`), {
        role: POSTGRES_ADMIN,
        password,
        database,
      }),
    close: () => Promise.resolve(),
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
