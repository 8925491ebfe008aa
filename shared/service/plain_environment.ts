/** What programs need to find each other, and Deno its packages; nothing that is secret. */
const PLAIN = ["HOME", "PATH", "DENO_DIR", "XDG_CACHE_HOME", "TMPDIR", "LANG"];

/**
 * The environment for a program that is not ours, or needs none of ours: the variables of this
 * process that are no secrets, and `more`. To be given with `clearEnv`.
 */
export function plainEnvironment(more: Record<string, string> = {}): Record<string, string> {
  const kept = PLAIN.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...more };
}
