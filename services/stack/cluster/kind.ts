/**
 * Whether a data folder holds a cluster. A hub with one database server can become a cluster, and
 * never the other way round: what is in one of its folders may be a standby's.
 * @module
 */
import { join } from "node:path";

/** Below a cluster's data folder: the folders of its database servers. */
export const DATABASES = "databases";

export function isCluster(folder: string): boolean {
  return isThere(join(folder, DATABASES));
}

/** Throws, with what to do, when the folder holds a cluster. */
export function requireNoCluster(folder: string): void {
  if (!isCluster(folder)) return;
  throw new Error(
    `Cannot start: ${folder} holds a cluster. Start it with --cluster, or choose another folder ` +
      "with --data.",
  );
}

/**
 * The folder of the only database server, when a hub that has one is to become a cluster;
 * `undefined` when it is one, or nothing yet. Throws for one of a version that kept it elsewhere.
 */
export function singleDatabase(folder: string, member: string): string | undefined {
  const single = join(folder, "postgres");
  if (!isThere(single) || isThere(join(folder, DATABASES, member, "data"))) return undefined;
  if (!Deno.lstatSync(single).isSymlink) return single;
  throw new Error(
    `Cannot make a cluster of ${folder}: ${single} leads elsewhere. Make a backup of the hub, and ` +
      "restore it into another folder (deno task backup, deno task restore).",
  );
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The address of a database on whichever of these servers (`host:port`) is the primary. */
export function clusterDatabaseUrl(
  servers: string[],
  { role, password, database }: { role: string; password: string; database: string },
): string {
  const [hosts, ports] = [0, 1].map((part) => servers.map((one) => one.split(":")[part]).join(","));
  return `postgres://${encodeURIComponent(role)}:${encodeURIComponent(password)}@/` +
    `${encodeURIComponent(database)}?host=${hosts}&port=${ports}&target_session_attrs=read-write`;
}
