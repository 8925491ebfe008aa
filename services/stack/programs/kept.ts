/**
 * Programs that were put together before and need not be again.
 * @module
 */
import { join } from "node:path";
import { keepMade } from "../kept.ts";
import { type Program, PROGRAM_SETTINGS, PROGRAMS } from "../programs.ts";

/**
 * The folder below `parent` with the programs of the checkout as it is now. They are put together
 * there unless the same sources were before; the oldest go.
 */
export async function keepPrograms(parent: string): Promise<string> {
  return await keepMade(
    parent,
    async (draft) => await (await import("./bundle.ts")).bundlePrograms(draft),
    async (folder) => void await Promise.all(PROGRAMS.map((service) => warmUp(folder, service))),
  );
}

/**
 * Lets Deno read a program once: whichever process does that first has 35 MiB more for good.
 */
async function warmUp(folder: string, service: Program): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", ...PROGRAM_SETTINGS, join(folder, `${service}.js`)],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
