/**
 * Files that hold keys: whoever can read them can say what their owner says. As ssh does with its
 * own, a service does not begin with one that everybody can read.
 * @module
 */

/**
 * Throws for a key file that everybody on this machine can read or change. A group may read it: the
 * accounts that run a container or a unit often have it by a group alone, as Docker's and
 * Kubernetes' secrets of a group are.
 */
export function demandPrivate(path: string): void {
  if (!isOpenToAll(path)) return;
  throw new Error(
    `everybody on this machine can read or change the key file ${path}; chmod 600 (or 640 for a ` +
      "group) mends that, and a new key whoever has read it",
  );
}

/** Whether everybody on this machine can read or change a file. */
export function isOpenToAll(path: string): boolean {
  const { mode } = Deno.statSync(path);
  return mode !== null && (mode & 0o007) !== 0;
}
