/**
 * Puts a page together, in a process of its own: the compiler's memory goes with it, and who serves
 * the page needs no right to run one.
 *
 *     deno run -A services/page/build/main.ts FOLDER [KEPT]
 *
 * A page that was made of the same sources before is taken from the folder KEPT, if one is given.
 *
 * @module
 */
import { setUpKeptPage } from "./kept_page.ts";

const [folder, kept, ...rest] = Deno.args;
if (folder === undefined || rest.length > 0) {
  console.error("Usage: deno run -A services/page/build/main.ts FOLDER [KEPT]");
  Deno.exit(2);
}
if (kept === undefined) {
  const { HUB_PAGE, setUpPage } = await import("./write_page.ts");
  await setUpPage(HUB_PAGE, folder);
} else {
  await setUpKeptPage(folder, kept);
}

/** Never called. It lets Deno fetch the page's packages together with those of this program. */
export const fetchPackages = () => import("../main.tsx");
