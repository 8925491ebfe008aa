/**
 * Puts the owner's page together, in a process of its own: the compiler's memory goes with it.
 *
 *     deno run -A services/node/page/build.ts FOLDER
 *
 * @module
 */
import type { PageSource } from "../../page/build/bundle.ts";
import { setUpPage } from "../../page/build/write_page.ts";

const OWNER_PAGE: PageSource = {
  entry: new URL("./ui/main.tsx", import.meta.url),
  styles: new URL("./ui/style.css", import.meta.url),
  title: "Sextant node",
  noScript: "This page needs JavaScript. deno task node --help shows the commands beside it.",
};

const [folder, ...rest] = Deno.args;
if (folder === undefined || rest.length > 0) {
  console.error("Usage: deno run -A services/node/page/build.ts FOLDER");
  Deno.exit(2);
}
await setUpPage(OWNER_PAGE, folder);

/** Never called. It lets Deno fetch the page's packages together with those of this program. */
export const fetchPackages = () => import("./ui/main.tsx");
