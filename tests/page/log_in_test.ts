/**
 * The page's log-in, in a real browser against a whole hub.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack } from "../harness.ts";
import { logIn, noBrowser, useBrowser } from "../support/browser.ts";

const stack = useTestStack();
const withPage = useBrowser();

Deno.test(
  "the page lets somebody in, keeps them in over a reload, and out after the log-out, in all tabs",
  { ignore: noBrowser },
  async () => {
    const { username, password } = await stack().adminCredentials();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await page.getByLabel("User name").fill(username);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "Work" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Work" }).waitFor();
      const cookies = await page.context().cookies();
      assert.deepEqual(
        cookies.map(({ httpOnly, sameSite, path }) => ({ httpOnly, sameSite, path })),
        [{ httpOnly: true, sameSite: "Strict", path: "/session" }],
      );
      await withPage(stack().gatewayUrl, async (other) => {
        await other.page.getByRole("heading", { name: "Work" }).waitFor();
        await page.getByRole("button", { name: "Log out" }).click();
        await other.page.getByLabel("User name").waitFor();
      }, { besides: page });
      await page.reload();
      await page.getByLabel("User name").waitFor();
    });
  },
);

Deno.test("the page's first view comes in at most 150 KB", { ignore: noBrowser }, async () => {
  await withPage(stack().gatewayUrl, async ({ page }) => {
    await logIn(page, await stack().adminCredentials());
    await page.getByRole("heading", { name: "Work" }).waitFor();
    const bytes: number = await page.evaluate(`
      [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
        .reduce((sum, { transferSize }) => sum + transferSize, 0)`);
    assert.ok(bytes > 50_000 && bytes <= 150_000, `${bytes} bytes`);
  });
});
