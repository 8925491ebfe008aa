/**
 * Puts a page together, in a process of its own: the compiler's memory goes with it, and who serves
 * the page needs no right to run one.
 *
 *     deno run -A services/page/build/main.ts FOLDER
 *
 * @module
 */
import { HUB_PAGE, setUpPage } from "./write_page.ts";

const [folder, ...rest] = Deno.args;
if (folder === undefined || rest.length > 0) {
  console.error("Usage: deno run -A services/page/build/main.ts FOLDER");
  Deno.exit(2);
}
await setUpPage(HUB_PAGE, folder);

/** Never called. It lets Deno fetch the page's packages together with those of this program. */
export const fetchPackages = () => import("../main.tsx");
