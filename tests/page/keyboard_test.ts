/**
 * The main job by keyboard alone, from the log-in to the drawn result that was decrypted here: no
 * pointer, and no key that the test gave to the page behind its back.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { newOrganizationKey } from "../../services/client/mod.ts";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite } from "../site.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { chooseFile, tabTo, typeInto } from "../support/keyboard.ts";

const stack = useTestStack();
const withPage = useBrowser();
const SHOWN = "deno:shown@1.0.0";

function ratio(estimate: number, low: number, high: number) {
  return {
    estimate: Math.log(estimate),
    low: Math.log(low),
    high: Math.log(high),
    ratio: { estimate, low, high },
  };
}
const MODEL = { coefficients: { age: ratio(1.1, 1.05, 1.16) }, n: 40 };

/** An encrypted collaboration whose nodes tell of what they run, with the first one's key. */
async function site() {
  const files = await Promise.all([1, 2].map(async (n) => {
    const path = join(stack().folder, `key-${n}.pem`);
    await Deno.writeTextFile(path, await newOrganizationKey(2048), { mode: 0o600 });
    return path;
  }));
  const made = await createSite(stack(), {
    data: ["a\n1\n", "a\n1\n"],
    encrypted: true,
    node: (index) => ({
      encryption: { enabled: true, private_key: files[index]! },
      policies: { allowed_algorithms: [SHOWN] },
    }),
  });
  await Promise.all(made.members.map((member) => made.startNode(member)));
  await waitFor(
    async () =>
      (await made.researcher.get(`/algorithm?image=${SHOWN}`)).data[0]?.nodes.length === 2,
    { what: "the nodes to tell of the algorithm" },
  );
  return { made, key: files[0]! };
}

Deno.test(
  "the whole job goes by keys alone: log-in, a task that is signed, its result opened and drawn",
  { ignore: noBrowser },
  async () => {
    const { made: { login, members, researcher }, key } = await site();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await typeInto(page, page.getByLabel("User name"), login.username);
      await typeInto(page, page.getByLabel("Password"), login.password);
      await page.keyboard.press("Enter");
      await tabTo(page, page.getByRole("link", { name: "New task" }));
      await page.keyboard.press("Enter");

      const form = page.locator("form");
      await tabTo(page, form.getByLabel("Algorithm", { exact: true }));
      await page.keyboard.type("deno:shown");
      await tabTo(page, form.getByLabel("Method"));
      await page.keyboard.type("A model");
      await typeInto(page, form.getByLabel("Value"), JSON.stringify(MODEL));
      const boxes = members.map(({ name }) => form.getByRole("checkbox", { name }));
      for (const [index, box] of boxes.entries()) {
        await tabTo(page, box);
        if (await box.isChecked() !== (index === 0)) await page.keyboard.press("Space");
        assert.equal(await box.isChecked(), index === 0);
      }
      await typeInto(page, form.getByLabel("Name (optional)"), "Odds by age");
      await chooseFile(page, form.getByLabel("Choose key file"), { path: key });
      await form.getByText(/is held in the memory of this tab/).waitFor();
      await tabTo(page, form.getByRole("button", { name: "Send the task" }));
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Odds by age" }).waitFor();
      const picture = page.getByRole("img", { name: /coefficients, as ratios .* age 1\.1/ });
      // The key that signed opens, too.
      await picture.waitFor();

      // Another day: the key is chosen again, by the other key that opens a chooser.
      const forget = page.getByRole("button", { name: "Forget key" });
      await tabTo(page, forget);
      await page.keyboard.press("Enter");
      await picture.waitFor({ state: "detached" });
      const choose = page.getByLabel("Choose key file");
      await chooseFile(page, choose, { path: key, by: "Space" });
      await picture.waitFor();

      const id = Number(/#\/tasks\/(\d+)/.exec(page.url())![1]);
      const [run] = (await researcher.get(`/run?task_id=${id}`)).data;
      assert.match(atob(run.input.split("$", 1)[0]), /"is":"request"/);
    });
  },
);

Deno.test(
  "a key file that is dropped is taken as one that was chosen, and a wrong one is refused",
  {
    ignore: noBrowser,
  },
  async () => {
    const { made: { login }, key } = await site();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await page.getByLabel("User name").fill(login.username);
      await page.getByLabel("Password").fill(login.password);
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "New task" }).click();
      const panel = page.getByRole("region", { name: "Key" });
      await panel.waitFor();
      await drop("no key at all");
      await panel.getByText("This key cannot be used.").waitFor();
      await drop(await Deno.readTextFile(key));
      await panel.getByText(/is held in the memory of this tab/).waitFor();
      assert.equal(await panel.getByText("This key cannot be used.").count(), 0);

      async function drop(text: string): Promise<void> {
        const dataTransfer = await page.evaluateHandle(`((text) => {
        const given = new DataTransfer();
        given.items.add(new File([text], "key.pem"));
        return given;
      })(${JSON.stringify(text)})`);
        await panel.dispatchEvent("dragover", { dataTransfer });
        await panel.dispatchEvent("drop", { dataTransfer });
      }
    });
  },
);
