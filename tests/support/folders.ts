/**
 * Folders for tests.
 * @module
 */

/** Kept between runs: what is downloaded on a machine that lacks it. */
export const CACHE_FOLDER = new URL("../../.sextant/cache", import.meta.url).pathname;

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A temporary folder that the accounts of all parts can reach, removed by `remove`. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "sextant-test-" });
  await Deno.chmod(path, 0o711);
  return { path, remove: () => Deno.remove(path, { recursive: true }) };
}
