/**
 * The account PostgreSQL runs as. It refuses to run as root, so root lends it another account, and
 * that account must be able to reach what it is given.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

export interface Account {
  uid: number;
  gid: number;
}

/** Where root keeps what another account must reach when the ordinary place is closed to it. */
const REACHABLE_ROOT = "/var/lib/sextant";

/**
 * The account for a server that must not be root: `undefined` (one's own) for a normal user, else
 * the owner of `existing` when that is set up already, else the system's `postgres` or `nobody`.
 */
export function unprivilegedAccount(existing: string): Account | undefined {
  if (Deno.uid() !== 0) return undefined;
  try {
    const { uid, gid } = Deno.statSync(existing);
    if (uid && gid !== null) return { uid, gid };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const rows = Deno.readTextFileSync("/etc/passwd").split("\n").map((row) => row.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const row = rows.find((fields) => fields[0] === name);
    if (row) return { uid: Number(row[2]), gid: Number(row[3]) };
  }
  return { uid: 65534, gid: 65534 };
}

/**
 * The folder on the way to `path`, whose last parts may not exist yet, that `account` may not walk
 * through; `undefined` when it can reach it.
 */
export function closedFolder(account: Account, path: string): string | undefined {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    try {
      const { mode, uid, gid } = Deno.statSync(folder);
      const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
      if ((((mode ?? 0) >> shift) & 0o1) === 0) return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/** Whether `account` may walk down to `path`, whose last parts may not exist yet. */
export function canReach(account: Account, path: string): boolean {
  return closedFolder(account, path) === undefined;
}

/**
 * The data folder to use where nobody has named one: `path`, or where it leads. When PostgreSQL's
 * account could not reach it (a checkout in root's home, which is closed to everybody else, is the
 * ordinary case), a new one is made below `/var/lib/sextant` as a whole, with a link to it at
 * `path`: all that a hub has is in one folder, wherever that is.
 */
export function usualDataFolder(path: string, root = REACHABLE_ROOT): string {
  const target = linkTarget(path);
  if (target !== undefined) {
    if (exists(target)) return Deno.realPathSync(path);
    throw new Error(
      `Cannot use the data folder ${path}: it leads to ${target}, which is not there. Restore that ` +
        "from a backup, name another with --data, or remove the link to begin with nothing.",
    );
  }
  const account = unprivilegedAccount(join(path, "postgres"));
  if (!account || exists(path) || canReach(account, join(path, "postgres"))) return path;
  const name = createHash("sha256").update(path).digest("hex").slice(0, 12);
  const folder = join(root, name);
  Deno.mkdirSync(folder, { recursive: true, mode: 0o755 });
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.symlinkSync(folder, path);
  return folder;
}

/**
 * The folder of the database cluster, which is in the data folder. Throws, with what to do, when
 * PostgreSQL's account cannot reach it. Versions before this one put it elsewhere then, with a
 * link: it is followed by the data folder that it was made for, and by no copy of that.
 */
export function databaseFolder(path: string, account: Account | undefined): string {
  const target = linkTarget(path);
  if (target !== undefined) {
    requireOwnDatabase(path, target);
    return target;
  }
  const closed = account && closedFolder(account, path);
  if (closed === undefined) return path;
  throw new Error(
    `Cannot start PostgreSQL in ${path}: it does not run as root, and the account that root lends ` +
      `it may not enter ${closed}. Name a data folder elsewhere with --data, such as ` +
      `${REACHABLE_ROOT}/hub, or let others through: chmod o+x ${closed}`,
  );
}

/** Throws unless the database at the end of a link is there, and this data folder's. */
function requireOwnDatabase(path: string, target: string): void {
  const folder = dirname(path);
  if (!exists(join(target, "PG_VERSION"))) {
    throw new Error(
      `Cannot start PostgreSQL: the database of ${folder} is in ${target}, which is not there. ` +
        `Restore it from a backup, or remove the link ${path} to begin with an empty one.`,
    );
  }
  const { dev, ino } = Deno.statSync(folder);
  const own = `${dev}:${ino}`;
  const marker = `${target}.owner`;
  const [owner, place] = (readIfThere(marker) ?? `${own} ${folder}`).split(" ");
  if (owner !== own) {
    throw new Error(
      `Cannot start: ${folder} is a copy of a data folder, and its database is that of ${place}, in ` +
        `${target}. Two hubs must not share one. Start the hub in ${place}, or give this one the ` +
        `database too: copy ${target} to ${path}, in place of the link.`,
    );
  }
  Deno.writeTextFileSync(marker, `${own} ${folder}`, { mode: 0o600 });
}

/**
 * For what can be had again, such as programs: the folder `path` itself when `account` can reach
 * it, else one below `/var/lib/sextant` with a link to it at `path`.
 */
export function reachableFolder(path: string, account: Account | undefined): string {
  const existing = linkTarget(path);
  if (existing) return existing;
  if (!account || canReach(account, path)) return path;
  const name = randomBytes(6).toString("hex");
  const target = `${REACHABLE_ROOT}/${name}`;
  Deno.mkdirSync(REACHABLE_ROOT, { recursive: true, mode: 0o755 });
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.symlinkSync(target, path);
  return target;
}

function linkTarget(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
