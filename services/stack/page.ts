/**
 * The page for people, put together before the gateway serves it.
 * @module
 */
import { join } from "node:path";
import { childEnvironment } from "./child_environment.ts";
import { startProcess } from "./process.ts";
import { ROOT } from "./service_part.ts";

export const PAGE_MAIN = "services/page/build/main.ts";

/**
 * Puts the page into `folder`; it is kept below `cacheFolder`. Rejects with the
 * compiler's words.
 */
export async function setUpPage(folder: string, cacheFolder: string): Promise<void> {
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", "--allow-all", `${ROOT}${PAGE_MAIN}`, folder]
      .concat(join(cacheFolder, "pages")),
    cwd: ROOT,
    env: childEnvironment({ NO_COLOR: "1" }),
  });
  const { success } = await process.exited;
  if (success) return;
  throw new Error(`Cannot put the page together:\n${process.lastLines().join("\n")}`);
}
