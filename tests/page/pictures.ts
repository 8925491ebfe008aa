/**
 * `deno task pictures`: takes the pictures of the page that the README shows, in a real Chromium,
 * of the demo as it stands.
 * @module
 */
import { fileURLToPath } from "node:url";
import { runDemo } from "../../services/stack/demo.ts";
import { startTestStack } from "../harness.ts";
import { logIn, noBrowser, startBrowser } from "../support/browser.ts";

const HELP = `deno task pictures [--help]

Runs the demo, and takes the pictures of the page that README.md shows, into services/page/pictures. It needs
Chromium.`;

const FOLDER = new URL("../../services/page/pictures/", import.meta.url);
const SIZE = { width: 1200, height: 760 };

if (Deno.args.length > 0) {
  console.log(HELP);
  Deno.exit(Deno.args.includes("--help") ? 0 : 2);
}
if (noBrowser) Deno.exit(1);
await Deno.mkdir(FOLDER, { recursive: true });
const stack = await startTestStack();
const browser = await startBrowser();
try {
  const { users, taskId } = await runDemo(stack, () => {});
  const { page } = await browser.open(stack.gatewayUrl, { viewport: SIZE });
  await logIn(page, users.find(({ role }) => role === "Researcher")!);
  const screens = [
    { name: "work", hash: "#/tasks", heading: "Work" },
    { name: "task", hash: `#/tasks/${taskId}`, heading: "Species by island" },
    { name: "result", hash: `#/tasks/${taskId}`, heading: "Results" },
    { name: "new_task", hash: "#/new-task", heading: "New task" },
  ];
  for (const { name, hash, heading } of screens) {
    await page.evaluate((address) => {
      location.hash = address;
    }, hash);
    await page.getByRole("heading", { name: heading }).first().waitFor();
    // What is asked for when a screen begins has come by then, most likely: look at the pictures.
    await page.waitForTimeout(2000);
    if (name === "result") {
      await page.getByRole("heading", { name: heading }).evaluate((one) =>
        (one as unknown as { scrollIntoView(): void }).scrollIntoView()
      );
    }
    await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, FOLDER)) });
    console.log(`${name}.png`);
  }
} finally {
  await browser.close();
  await stack.stop();
}
