/**
 * Nodes come and go in the administration as they do in the world.
 * @module
 */
import { useTestStack } from "../harness.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { logInTo } from "../support/screens.ts";
import { createSite } from "../site.ts";

const stack = useTestStack();
const withPage = useBrowser();

Deno.test(
  "administration: a node that connects is shown as online at once, in the list and in its record",
  { ignore: noBrowser },
  async () => {
    const site = await createSite(stack(), { data: ["age\n1\n", "age\n2\n"] });
    const [first, second] = site.members;
    const credentials = await stack().adminCredentials();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logInTo(page, credentials);
      await page.goto(`${stack().gatewayUrl}/#/administration/nodes`);
      const row = page.getByRole("row", { name: first!.name });
      await row.getByText("offline").waitFor();
      await site.startNode(first!);
      await row.getByText("online", { exact: true }).waitFor();
      await page.goto(`${stack().gatewayUrl}/#/administration/nodes/${second!.nodeId}`);
      await page.locator("dl").getByText("offline").waitFor();
      await site.startNode(second!);
      await page.locator("dl").getByText("online", { exact: true }).waitFor();
    });
  },
);
