/**
 * The hub's services, put together before they start.
 * @module
 */
import { join } from "node:path";
import { childEnvironment } from "./child_environment.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { startProcess } from "./process.ts";
import { ROOT } from "./service_part.ts";

/** What is put together. */
export const PROGRAMS = [...HUB_SERVICES, "gateway"] as const;
export type Program = typeof PROGRAMS[number];

export const PROGRAMS_MAIN = "services/stack/programs/main.ts";

/**
 * What Deno is told of a program beside its rights. It holds all that it needs of deno.json:
 * neither that nor the lock is read again.
 */
export const PROGRAM_SETTINGS = ["--no-config", "--no-lock", "--unstable-no-legacy-abort"];

/**
 * The folder with `<service>.js` of each hub service and the gateway, as a checkout has them now.
 * Rejects with the compiler's words.
 */
export async function setUpPrograms(cacheFolder: string, checkout = ROOT): Promise<string> {
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", "--allow-all", `${checkout}${PROGRAMS_MAIN}`]
      .concat(join(cacheFolder, "programs")),
    cwd: checkout,
    env: childEnvironment({ NO_COLOR: "1" }),
  });
  const { success } = await process.exited;
  const words = process.lastLines();
  if (success) return words.at(-1)!;
  throw new Error(`Cannot put the services together:\n${words.join("\n")}`);
}
