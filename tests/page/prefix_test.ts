/**
 * The page behind a front that serves the hub below a path of its own, and takes that path away.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack } from "../harness.ts";
import { logIn, noBrowser, useBrowser } from "../support/browser.ts";

const stack = useTestStack();
const withPage = useBrowser();
const PREFIX = "/research/sextant";

/** Passes on what is below the prefix; everything else is not the hub's. */
function startFront() {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith(`${PREFIX}/`)) return new Response("not the hub's", { status: 404 });
    const url = `${stack().gatewayUrl}${pathname.slice(PREFIX.length)}${search}`;
    return fetch(url, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      signal: request.signal,
    });
  });
}

Deno.test("the page works below a path prefix: its files, its log-in, the API and the live feed", {
  ignore: noBrowser,
}, async () => {
  const front = startFront();
  try {
    const url = `http://127.0.0.1:${front.addr.port}${PREFIX}/`;
    await withPage(url, async ({ page, requests }) => {
      await logIn(page, await stack().adminCredentials());
      await page.getByRole("heading", { name: "Work" }).waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      const [cookie] = await page.context().cookies();
      assert.equal(cookie!.path, `${PREFIX}/session`);
      await page.reload();
      await page.getByRole("heading", { name: "Work" }).waitFor();
      const elsewhere = requests.filter((one) => one.startsWith("http") && !one.startsWith(url));
      assert.deepEqual(elsewhere, []);
    });
  } finally {
    await front.shutdown();
  }
});
