/**
 * Results in the browser: opened with the organization's key, drawn, saved.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { newOrganizationKey, readOrganizationKey } from "../../services/client/mod.ts";
import { useTestStack } from "../harness.ts";
import { createSite, type Site } from "../site.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { post } from "../support/shown_site.ts";
import { MODEL } from "../support/shown_values.ts";

const stack = useTestStack();
const withPage = useBrowser();

async function logIn(page: Page, { login }: Site): Promise<void> {
  await page.getByLabel("User name").fill(login.username);
  await page.getByLabel("Password").fill(login.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Work" }).waitFor();
}

async function goToTask(page: Page, id: number): Promise<void> {
  await page.goto(`${stack().gatewayUrl}/#/tasks/${id}`);
  await page.getByRole("heading", { name: "Results" }).waitFor();
}

/** The text of what a button saves, and the name of the file. */
async function saved(page: Page, name: string | RegExp): Promise<{ file: string; text: string }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).first().click(),
  ]);
  const text = await Deno.readTextFile(await download.path());
  return { file: download.suggestedFilename(), text };
}

const HOSTILE = {
  "<img src=x onerror=alert(1)>": "<script>alert(1)</script>",
  formula: '=HYPERLINK("https://elsewhere.example")',
  "right\u202eleft": "a\u0007b",
  negative: -5,
  large: 2 ** 53,
};

/** Organizations whose nodes answer with what they are told to. */
async function createShownSite(encrypted: boolean): Promise<{ site: Site; keys: string[] }> {
  const keys = await Promise.all([newOrganizationKey(2048), newOrganizationKey(2048)]);
  const files = await Promise.all(keys.map(async (pem, index) => {
    const path = join(stack().folder, `key-${encrypted}-${index}.pem`);
    await Deno.writeTextFile(path, pem, { mode: 0o600 });
    return path;
  }));
  const site = await createSite(stack(), {
    data: ["a\n1\n", "a\n1\n"],
    encrypted,
    node: (index) => encrypted ? { encryption: { enabled: true, private_key: files[index]! } } : {},
  });
  await Promise.all(site.members.map((member) => site.startNode(member)));
  return { site, keys: files };
}

Deno.test(
  "the page opens an encrypted result with the organization's key, by keyboard, and draws it",
  { ignore: noBrowser },
  async () => {
    const { site, keys } = await createShownSite(true);
    const locked = join(stack().folder, "locked.pem");
    await Deno.writeTextFile(
      locked,
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    const key = await readOrganizationKey(await Deno.readTextFile(keys[0]!));
    const task = await post(stack().gatewayUrl, site, { method: "model", value: MODEL, key });
    await withPage(stack().gatewayUrl, async ({ page, requests }) => {
      await logIn(page, site);
      await goToTask(page, task);
      const choose = page.getByLabel("Choose key file");
      await choose.setInputFiles(keys[1]!);
      await page.getByText(/This is the key of .* 2\. The results are encrypted for/).waitFor();
      await page.getByRole("button", { name: "Forget key" }).click();
      await choose.setInputFiles(locked);
      await page.getByText(/The key has a pass phrase/).waitFor();
      const before = requests.length;
      await choose.setInputFiles(keys[0]!);
      await page.getByText(/is held in the memory of this tab/).waitFor();
      await page.getByRole("img", { name: /coefficients, as ratios .* age 1\.1/ }).waitFor();
      assert.equal(requests.slice(before).filter((one) => /PRIVATE/.test(one)).length, 0);
      const kept = await page.evaluate<string>(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
      );
      assert.doesNotMatch(kept, /PRIVATE|MII/);
      await page.getByText("A count is of fewer persons than may be told of").waitFor();
      const svg = await saved(page, /Save SVG: coefficients/);
      assert.match(svg.text, /^<\?xml .*\n<svg /);
      assert.match(svg.text, /fill="rgb\(/);
      assert.doesNotMatch(svg.text, /var\(|class=/);
      const csv = await saved(page, /Save CSV: coefficients/);
      assert.match(csv.text, /^term,estimate,.*\r\n/);
      const json = await saved(page, "Save all as JSON");
      assert.equal(JSON.parse(json.text).n, 0.1 + 0.2);
      await page.getByRole("button", { name: "Forget key" }).focus();
      await page.keyboard.press("Enter");
      await page.getByLabel("Choose key file").waitFor();
      assert.equal(await page.getByRole("img").count(), 0);
    });
  },
);

Deno.test(
  "the page shows a plain result of no kind as text, whatever is in it, and saves no formula",
  { ignore: noBrowser },
  async () => {
    const { site } = await createShownSite(false);
    const task = await post(stack().gatewayUrl, site, { method: "anything", value: HOSTILE });
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logIn(page, site);
      await goToTask(page, task);
      await page.getByText("<script>alert(1)</script>").waitFor();
      await page.getByText("<img src=x onerror=alert(1)>").waitFor();
      assert.equal(await page.locator("main img, main script").count(), 0);
      assert.match(await page.locator("main").innerText(), /right\[U\+202E\]left/);
      const { text } = await saved(page, /Save CSV/);
      assert.match(text, /formula,"'=HYPERLINK/);
      assert.match(text, /negative,-5\r\n/);
      assert.match(text, /large,9007199254740992\r\n/);
    });
  },
);
