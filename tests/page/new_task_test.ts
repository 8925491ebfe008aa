/**
 * A task written, sent and looked at in the page, in a real browser against a whole hub.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, type Site } from "../site.ts";
import { logIn, NARROW, noBrowser, useBrowser } from "../support/browser.ts";

const stack = useTestStack();
const withPage = useBrowser();
const AVERAGE = "deno:average@1.0.0";
const FILES = ["age,sex\n31,f\n48,m\n", "age,sex\n59,f\n62,m\n"];

/** A collaboration of two, with their nodes online and telling what may run. */
async function site(): Promise<Site> {
  const made = await createSite(stack(), {
    data: FILES,
    node: { policies: { allowed_algorithms: [AVERAGE] }, share_columns: true },
  });
  for (const member of made.members) await made.startNode(member);
  await waitFor(async () => {
    const [told] = (await made.researcher.get(`/algorithm?image=${AVERAGE}`)).data;
    const nodes: { config: { key: string }[] }[] = (await made.researcher.get("/node")).data;
    return told?.nodes.length === 2 &&
      nodes.every(({ config }) => config.some(({ key }) => key === "columns_default"));
  }, { what: "the nodes to tell of the algorithm and of their columns" });
  return made;
}

async function openForm(page: Page, { login }: Site, query = ""): Promise<void> {
  await logIn(page, login);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/new-task${query}`);
  await page.getByRole("heading", { name: "New task" }).waitFor();
  await page.getByLabel("Algorithm").waitFor();
}

Deno.test(
  "the new-task form is made of the algorithm's description, and by keyboard alone leads to the task",
  { ignore: noBrowser },
  async () => {
    const there = await site();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await openForm(page, there);
      const form = page.locator("form");
      const columns = await form.getByLabel("Column", { exact: true }).locator("option")
        .allTextContents();
      assert.deepEqual(columns, ["(not given)", "age", "sex"]);
      // What is missing is said at its field, and nothing is sent.
      await form.getByRole("button", { name: "Send the task" }).press("Enter");
      await form.getByText('The argument "column" is missing').waitFor();
      assert.equal((await there.researcher.get("/task")).data.length, 0);
      await form.getByLabel("Column", { exact: true }).focus();
      await page.keyboard.type("age");
      await form.getByLabel("Name (optional)").focus();
      await page.keyboard.type("Mean age");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/tasks\/\d+/);
      const id = Number(/#\/tasks\/(\d+)/.exec(page.url())![1]);
      const { results } = await there.outcome(id);
      assert.deepEqual(results, [{ average: 50, count: 4, missing: 0 }]);
    });
  },
);

Deno.test("the new-task form says before sending which node is offline, and whose rules refuse", {
  ignore: noBrowser,
}, async () => {
  const there = await site();
  const [, second] = there.members;
  await stack().part(`node ${second!.node}`).kill9();
  await waitFor(async () => {
    const { data } = await there.researcher.get("/node");
    return data.some(({ status }: { status: string }) => status === "offline");
  }, { what: "the node to be shown offline" });
  await withPage(stack().gatewayUrl, async ({ page }) => {
    await openForm(page, there);
    await page.getByLabel("Method").selectOption("partial");
    await page.getByText("its node is offline").waitFor();
    await page.getByLabel("Algorithm").selectOption("other");
    await page.getByLabel("Image").fill("registry.example/other:1");
    await page.getByText("allows other algorithms than registry.example/other:1").first().waitFor();
    await page.getByRole("button", { name: "Send it all the same" }).waitFor();
  }, { viewport: NARROW, colorScheme: "dark" });
});

Deno.test(
  "the new-task form is filled in from an earlier task",
  { ignore: noBrowser },
  async () => {
    const there = await site();
    const { id } = await there.post({
      image: AVERAGE,
      method: "central",
      kwargs: { column: "age" },
    });
    await there.outcome(id);
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await openForm(page, there, `?from=${id}`);
      await page.getByText(`Filled in from task ${id}.`).waitFor();
      assert.equal(await page.getByLabel("Column", { exact: true }).inputValue(), "age");
    });
  },
);
