/**
 * Results that the hub keeps as blobs, tasks that make subtasks, and images that a store decides
 * on.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, type Site } from "../site.ts";
import { startAlgorithmStore } from "../support/algorithm_store.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { logInTo } from "../support/screens.ts";

const stack = useTestStack();
const withPage = useBrowser();

let made: Promise<Site> | undefined;
function site(): Promise<Site> {
  return made ??= (async () => {
    const created = await createSite(stack(), { data: ["age\n1\n2\n", "age\n3\n4\n"] });
    await Promise.all(created.members.map((member) => created.startNode(member)));
    return created;
  })();
}

async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

Deno.test(
  "a result that is kept as a blob is opened and saved whole, and only its beginning is drawn",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login, researcher, post, outcome } = await site();
    const length = 5_000_000;
    const task = await post({ image: "deno:slow@1.0.0", method: "text", kwargs: { length } });
    await outcome(task.id);
    const [stored] = (await researcher.get(`/result?task_id=${task.id}`)).data;
    assert.equal(stored.blob_storage_used, true);
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logInTo(page, login);
      await goTo(page, `#/tasks/${task.id}`);
      await page.getByText("5.0 MB").waitFor();
      const shown = (await page.locator(".share").innerText()).length;
      assert.ok(shown > 100 && shown < 50_000, `${shown} characters are drawn`);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save all as JSON" }).click(),
      ]);
      const { size } = await Deno.stat(await download.path());
      assert.equal(size, length + 2);
    });
  },
);

Deno.test("subtasks stand below the share that made them, live, and lead to their own screen", {
  ignore: noBrowser,
}, async () => {
  const { login, researcher, members, post } = await site();
  await withPage(stack().gatewayUrl, async ({ page }) => {
    await logInTo(page, login);
    const task = await post({
      image: "deno:average@1.0.0",
      method: "central",
      kwargs: { column: "age" },
    });
    await goTo(page, `#/tasks/${task.id}`);
    const lines = page.locator(".picture .lines > .picture-line");
    await waitFor(async () => await lines.count() === 4, {
      what: "the picture to have the subtask and its two shares",
      timeout: 60_000,
    });
    await page.locator("main > header").getByText("completed").waitFor();
    const told = await lines.evaluateAll((all) =>
      all.map((one) => {
        const { className, textContent } = one as unknown as {
          className: string;
          textContent: string;
        };
        return [className.split(" ")[1], textContent] as const;
      })
    );
    assert.deepEqual(told.map(([is]) => is), ["run", "subtask", "run", "run"]);
    const names = told.filter(([is]) => is === "run").map(([, text]) => text);
    const [first, second] = members;
    const at = [first!, first!, second!];
    for (const [index, { name }] of at.entries()) {
      assert.ok(names[index]!.includes(name), names[index]);
    }
    const tops = await lines.evaluateAll((all) =>
      all.map((one) =>
        (one as unknown as { getBoundingClientRect(): { top: number } })
          .getBoundingClientRect().top
      )
    );
    assert.deepEqual(tops, tops.toSorted((one, other) => one - other));
    // Its result is the parent's, not those of the parts.
    await page.locator(".share").getByText("2.5").first().waitFor();
    await lines.nth(1).getByRole("link").press("Enter");
    await page.getByRole("link", { name: `Task ${task.id}` }).waitFor();
    const [subtask] = (await researcher.get(`/task?parent_id=${task.id}`)).data;
    assert.match(page.url(), new RegExp(`#/tasks/${subtask.id}$`));
  });
});

Deno.test(
  "the new-task form says what a store refuses, and sends what it has approved, by its digest",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login, admin, researcher, collaborationId } = await site();
    const store = startAlgorithmStore();
    const image = "registry.example/approved:1";
    const digest = `sha256:${"ab".repeat(32)}`;
    const link = await admin.post("/algorithmstore", {
      name: "Community",
      algorithm_store_url: store.url,
      server_url: `${stack().gatewayUrl}/api`,
      collaboration_id: [collaborationId],
      force: true,
    });
    try {
      await withPage(stack().gatewayUrl, async ({ page, faults }) => {
        await logInTo(page, login);
        await goTo(page, "#/new-task");
        await page.getByLabel("Algorithm", { exact: true }).selectOption("other");
        await page.getByLabel("Image").fill(image);
        await page.getByLabel("Algorithm store (optional)").selectOption("Community");
        const send = page.getByRole("button", { name: /^Send/ });
        await send.click();
        const refusal = page.getByRole("alert").getByText("does not have");
        await refusal.first().waitFor();
        const refused = faults.splice(0);
        assert.ok(
          refused.length > 0 && refused.every((one) => /status of 4\d\d/.test(one)),
          `${refused}`,
        );
        store.approved.set(image, digest);
        await send.click();
        await page.waitForURL(/#\/tasks\/\d+/);
        const id = Number(/#\/tasks\/(\d+)/.exec(page.url())![1]);
        const task = await researcher.get(`/task/${id}`);
        assert.ok(task.image.endsWith(digest), task.image);
        await page.locator("dl").getByText(digest).first().waitFor();
      });
    } finally {
      await admin.delete(`/algorithmstore/${link.id}?server_url=${stack().gatewayUrl}/api`);
      await store.stop();
    }
  },
);
