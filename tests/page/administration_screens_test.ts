/**
 * Every screen of the administration: for those who hear it, at all widths, in both colours; and with
 * names that were made to do harm.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Json } from "../support/api.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { ROOT_PASSWORD, useTestHub } from "../support/hub.ts";
import { assertScreen, logInTo } from "../support/screens.ts";

const hub = useTestHub({ page: true });
const withPage = useBrowser();
const url = () => `http://${hub().address.hostname}:${hub().address.port}`;
let serial = 0;
const HOSTILE = '<img src=x onerror="alert(1)">\u202eevil\u0007';

async function ask(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await hub().call(method, path, { token: hub().root, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.body.msg}`);
  return answer.body;
}

async function at(page: Page, path: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`${url()}/#/administration/${path}`);
  await page.locator("main h1").waitFor();
  await page.getByText("Loading …").first().waitFor({ state: "detached" });
}

/** One of each noun, with a name that does harm where names are taken for markup. */
async function newThings() {
  const name = `${HOSTILE} ${++serial}`;
  const organization = await ask("POST", "/organization", { name, country: HOSTILE });
  const organization_ids = [1, organization.id];
  const collaboration = await ask("POST", "/collaboration", {
    name,
    encrypted: true,
    organization_ids,
  });
  const collaboration_id = collaboration.id;
  return {
    organizations: organization.id,
    users: 1,
    roles: (await ask("POST", "/role", { name, description: HOSTILE, rules: [1, 2] })).id,
    collaborations: collaboration_id,
    studies: (await ask("POST", "/study", { name, collaboration_id, organization_ids })).id,
    nodes: (await ask("POST", "/node", {
      name,
      collaboration_id,
      organization_id: organization.id,
    })).id,
  };
}

Deno.test(
  "administration: every screen is accessible and fits, and shows hostile names as text",
  { ignore: noBrowser },
  async () => {
    const things = await newThings();
    const inFull = ["nodes", "roles/new", `collaborations/${things.collaborations}`];
    await withPage(url(), async ({ page }) => {
      await logInTo(page, { username: "root", password: ROOT_PASSWORD });
      for (const [noun, id] of Object.entries(things)) {
        for (const path of [noun, `${noun}/new`, `${noun}/${id}`]) {
          await at(page, path);
          await assertScreen(page, path, { brief: !inFull.includes(path) });
        }
        if (noun === "users") continue;
        // The mark of what turns the direction of text is seen, and nothing of it was markup.
        await page.locator("h1", { hasText: "<img src=x" }).waitFor();
        await page.locator("h1", { hasText: "U+202E" }).waitFor();
        assert.equal(await page.locator("main img").count(), 0);
      }
    });
  },
);

Deno.test(
  "administration: its questions, the key that is shown once, the record and health are accessible",
  { ignore: noBrowser },
  async () => {
    const { nodes } = await newThings();
    await withPage(url(), async ({ page }) => {
      await logInTo(page, { username: "root", password: ROOT_PASSWORD });
      await at(page, "algorithm-stores/new");
      await assertScreen(page, "a new link to a store", { brief: true });
      await at(page, "health");
      await assertScreen(page, "health", { brief: true });
      await at(page, "audit");
      await assertScreen(page, "audit record");
      await at(page, `nodes/${nodes}`);
      await page.getByRole("button", { name: "Give a new key" }).click();
      await page.getByRole("dialog").waitFor();
      await assertScreen(page, "a question", { brief: true });
      await page.getByRole("dialog").getByRole("button", { name: "Give a new key" }).click();
      await page.getByText("This is shown once.").waitFor();
      await assertScreen(page, "the key of a node");
    });
  },
);
