/**
 * The page remembers the public keys of organizations, and encrypts nothing for another one before
 * its user has said so.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { newOrganizationKey, readOrganizationKey } from "../../services/client/mod.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { useTestStack } from "../harness.ts";
import { createSite, type Member, type Site } from "../site.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { logInTo, rememberOtherKeys } from "../support/screens.ts";
import { post } from "../support/shown_site.ts";
import { MODEL } from "../support/shown_values.ts";

const stack = useTestStack();
const withPage = useBrowser();

/** Puts a new key into the hub's record, as whoever broke in there would; tells its fingerprint. */
async function replaceKey({ id }: Member): Promise<string> {
  const { publicKey, fingerprint } = await readOrganizationKey(await newOrganizationKey(2048));
  const db = openDatabase(stack().adminDatabaseUrl(), {
    schema: "identity",
    log: silentLogger,
    max: 1,
  });
  try {
    await db`update organization set public_key = ${publicKey} where id = ${id}`;
  } finally {
    await db.end();
  }
  return fingerprint;
}

/** An encrypted collaboration of two organizations with a key each. */
async function encryptedSite() {
  const site = await createSite(stack(), { data: ["x\n1\n", "x\n2\n"], encrypted: true });
  await replaceKey(site.members[0]!);
  return { site, before: await replaceKey(site.members[1]!) };
}

async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Opens the form of a new task for both organizations and fills it in. */
async function fillIn(page: Page): Promise<void> {
  await goTo(page, "#/new-task");
  await page.getByLabel("Image").fill("deno:average@1.0.0");
  await page.getByLabel("Method").fill("partial");
}

const send = (page: Page) => page.getByRole("button", { name: /^Send/ }).click();
const isSent = (page: Page) => page.waitForURL(/#\/tasks\/\d+/);
const tasksOf = async ({ researcher }: Site) => (await researcher.get("/task")).data.length;

Deno.test(
  "for a key that is another than before the page sends nothing until its user has compared the two",
  {
    ignore: noBrowser,
  },
  async () => {
    const { site, before } = await encryptedSite();
    const [, other] = site.members;
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logInTo(page, site.login);
      await fillIn(page);
      await send(page);
      await isSent(page);
      assert.equal(await tasksOf(site), 1);

      const now = await replaceKey(other!);
      await page.reload();
      await fillIn(page);
      await page.getByText(`The public key of ${other!.name} is another than before.`).waitFor();
      await send(page);
      const dialog = page.getByRole("dialog");
      await dialog.getByText(`Is this the new key of ${other!.name}?`).waitFor();
      assert.deepEqual(await dialog.locator("dd.mono").allTextContents(), [now, before]);
      // The safe answer is the one that a key that was pressed by mistake gives.
      await page.keyboard.press("Enter");
      await dialog.waitFor({ state: "detached" });
      await page.getByText("Nothing was sent.").waitFor();
      assert.equal(await tasksOf(site), 1);

      await send(page);
      await dialog.getByRole("button", { name: "use it and send" }).click();
      await isSent(page);
      assert.equal(await tasksOf(site), 2);
      // What was accepted stays so.
      await page.reload();
      await fillIn(page);
      await send(page);
      await isSent(page);
      assert.equal(await tasksOf(site), 3);
      assert.equal(await page.getByText("another than before").count(), 0);
    });
  },
);

/** Another researcher of the first organization; returns the log-in. */
async function colleagueOf({ admin, login, members }: Site): Promise<Site["login"]> {
  const [role] = (await admin.get("/role?name=Researcher")).data;
  const username = `colleague-of-${login.username}`;
  await admin.post("/user", {
    username,
    password: login.password,
    firstname: "C",
    lastname: "D",
    email: `${username}@clinic.example`,
    organization_id: members[0]!.id,
    roles: [role.id],
  });
  return { username, password: login.password };
}

Deno.test(
  "a key that is accepted in one tab is accepted in the others, and for nobody else at this browser",
  {
    ignore: noBrowser,
  },
  async () => {
    const { site } = await encryptedSite();
    const colleague = await colleagueOf(site);
    const [, other] = site.members;
    const notice = (page: Page) => page.getByText("another than before");
    const logOut = (page: Page) =>
      page.getByRole("button", { name: "Log out", exact: true }).click();
    await withPage(stack().gatewayUrl, async ({ page: first }) => {
      await logInTo(first, colleague);
      await fillIn(first);
      await logOut(first);
      await logInTo(first, site.login);
      await fillIn(first);
      await replaceKey(other!);
      await withPage(stack().gatewayUrl, async ({ page: second }) => {
        for (const page of [first, second]) {
          await page.reload();
          await fillIn(page);
          await notice(page).waitFor();
        }
        await second.getByRole("button", { name: "Compare the keys" }).click();
        await second.getByRole("button", { name: "It is theirs" }).click();
        for (const page of [second, first]) await notice(page).waitFor({ state: "detached" });
      }, { besides: first });
      await logOut(first);
      await logInTo(first, colleague);
      await fillIn(first);
      await notice(first).waitFor();
    });
  },
);

Deno.test("a browser that keeps nothing is said, and a key that changes is noticed in its tab", {
  ignore: noBrowser,
}, async () => {
  const { site } = await encryptedSite();
  const [, other] = site.members;
  await withPage(stack().gatewayUrl, async ({ page }) => {
    await page.addInitScript(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("There is no room.", "QuotaExceededError");
      };
    });
    await page.reload();
    await logInTo(page, site.login);
    await fillIn(page);
    await page.getByText("This browser keeps nothing").waitFor();
    await replaceKey(other!);
    await send(page);
    await page.getByRole("dialog").waitFor();
    assert.equal(await tasksOf(site), 0);
  });
});

Deno.test(
  "a result that is signed with a key that is another than before is opened once that is accepted",
  {
    ignore: noBrowser,
  },
  async () => {
    const private_key = join(stack().folder, "signing.pem");
    await Deno.writeTextFile(private_key, await newOrganizationKey(2048), { mode: 0o600 });
    const site = await createSite(stack(), {
      data: ["age\n1\n"],
      encrypted: true,
      node: {
        encryption: { enabled: true, private_key },
        policies: { allowed_algorithms: ["deno:shown@1.0.0"] },
      },
    });
    await site.startNode(site.members[0]!);
    const key = await readOrganizationKey(await Deno.readTextFile(private_key));
    const task = await post(stack().gatewayUrl, site, { method: "model", value: MODEL, key });
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logInTo(page, site.login);
      await goTo(page, "#/new-task");
      await page.getByLabel("Algorithm").waitFor();
      await rememberOtherKeys(page);
      await goTo(page, `#/tasks/${task}`);
      await page.getByLabel("Choose key file").setInputFiles(private_key);
      await page.getByText(/^The result cannot be opened: The public key of/).waitFor();
      await page.getByRole("button", { name: "Compare the keys" }).click();
      await page.getByRole("button", { name: "It is theirs" }).click();
      await page.getByRole("img", { name: /^coef/ }).waitFor();
    });
  },
);
