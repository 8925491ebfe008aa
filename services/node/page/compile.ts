/**
 * The owner's page, put together when somebody first opens it.
 * @module
 */
import { plainEnvironment } from "../../../shared/service/plain_environment.ts";
import { fileURLToPath } from "node:url";
import type { Logger } from "../../../shared/service/log.ts";
import { Refusal } from "./refusal.ts";

const BUILD = fileURLToPath(new URL("./build.ts", import.meta.url));
/** A compiler that hangs is given up. */
const PATIENCE_MS = 60_000;
const MOST_SAID = 2000;

/**
 * What resolves once the page is in `folder`, or rejects with a {@linkcode Refusal} that says why
 * it cannot be; then the next call tries again.
 */
export function createCompiler(
  { folder, log, signal, build = BUILD }: {
    folder: string;
    log: Logger;
    signal: AbortSignal;
    /** The program that does it. */
    build?: string;
  },
): () => Promise<void> {
  let ready: Promise<void> | undefined;

  async function compile(): Promise<void> {
    const problem = await run();
    if (problem === undefined) return;
    ready = undefined;
    log.warn("Cannot put the owner's page together", { reason: problem });
    throw new Refusal(503, `Cannot put this page together: ${problem}`);
  }

  /** What went wrong, if anything did. */
  async function run(): Promise<string | undefined> {
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--allow-all", build, folder],
        clearEnv: true,
        env: plainEnvironment({ NO_COLOR: "1" }),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      }).output();
      if (success) return undefined;
      return new TextDecoder().decode(stderr).trim().slice(-MOST_SAID) || "the compiler ended";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  return () => ready ??= compile();
}
