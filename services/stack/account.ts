/**
 * The account PostgreSQL runs as. It refuses to run as root, so root lends it another account, and
 * that account must be able to reach what it is given.
 * @module
 */
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";

export interface Account {
  uid: number;
  gid: number;
}

/** Where root keeps what another account must reach when the data folder itself is closed to it. */
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

/** Whether `account` may walk down to `path`, whose last parts may not exist yet. */
export function canReach(account: Account, path: string): boolean {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    try {
      const { mode, uid, gid } = Deno.statSync(folder);
      const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
      if ((((mode ?? 0) >> shift) & 0o1) === 0) return false;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (folder === dirname(folder)) return true;
  }
}

/**
 * Returns the folder `path` itself when `account` can reach it; else a folder below
 * `/var/lib/sextant` with a symbolic link to it at `path`, so that the deployment still finds all
 * its data from one place. A checkout in root's home, which is closed to everybody else, is the
 * ordinary case of this.
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
