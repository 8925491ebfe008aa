/**
 * The page that the hub shows, put together before: that, and to compress it, takes seconds.
 * @module
 */
import { keepMade } from "../../stack/kept.ts";
import { copyPage } from "./page_files.ts";

/**
 * Puts the page into `folder`; what an earlier version left there goes. It is taken from the folder
 * `kept` if it was put together of the same sources before; else it is kept there.
 */
export async function setUpKeptPage(folder: string, kept: string): Promise<void> {
  const from = await keepMade(kept, async (draft) => {
    const { HUB_PAGE, setUpPage } = await import("./write_page.ts");
    await setUpPage(HUB_PAGE, draft);
  });
  await copyPage(from, folder);
}
