/**
 * What an agent takes that has nothing to do.
 * @module
 */
import { noBrowser, startBrowser } from "../support/browser.ts";
import { proportionalMiB, treeOf } from "../support/memory.ts";
import { withOwnerSite } from "../support/owner_site.ts";
import { report } from "./measure.ts";

/** Long enough for what a start has left over to be given back. */
const REST_MS = 10_000;
/** Longer than the page waits between two questions. */
const WATCHED_MS = 30_000;

/** An agent with its owner's page, while nobody looks at it, and while somebody does. */
export async function benchIdleAgent(): Promise<void> {
  await withOwnerSite(async ({ agent, link }) => {
    const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    function tell(what: string): void {
      const all = treeOf(agent.pid);
      report(what, {
        "processes": all.length,
        "MiB (PSS)": all.reduce((sum, pid) => sum + proportionalMiB(pid), 0),
        "the agent itself MiB (PSS)": proportionalMiB(agent.pid),
        "promise MiB": 150,
      });
    }
    await rest(REST_MS);
    tell("an idle agent, all of it");
    if (noBrowser) return;
    const browser = await startBrowser();
    try {
      const { page } = await browser.open(await link());
      for (const screen of ["Runs", "Held", "Data", "Rules", "Record", "Now"]) {
        await page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
        await page.getByRole("heading", { level: 1 }).waitFor();
      }
      await rest(WATCHED_MS);
      tell("with its page open, all of it");
    } finally {
      await browser.close();
    }
  });
}
