/**
 * The list of tasks and the screen of one, in a real browser against a whole hub.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, encodeInput, type Site } from "../site.ts";
import { logIn, noBrowser, useBrowser } from "../support/browser.ts";

const stack = useTestStack();
const withPage = useBrowser();
const SLOW = "deno:slow@1.0.0";
const HOSTILE = '<img src=x onerror="document.title=1"> \u202efdp.exe\u0007';
const HOSTILE_SHOWN = '<img src=x onerror="document.title=1"> [U+202E]fdp.exe␇';

let made: Promise<Site> | undefined;
/** Two organizations; the node of the first one is there, that of the other one never is. */
function site(): Promise<Site> {
  return made ??= (async () => {
    const created = await createSite(stack(), { data: ["age\n1\n2\n", "age\n3\n4\n"] });
    await created.startNode(created.members[0]!);
    return created;
  })();
}

/** A task that waits for the second organization's node. */
function post({ researcher, collaborationId, members }: Site, name: string) {
  return researcher.post("/task", {
    name,
    image: SLOW,
    collaboration_id: collaborationId,
    organizations: [{ id: members[1]!.id, input: encodeInput({ method: "wait", kwargs: {} }) }],
  });
}

Deno.test("the list of tasks is live, and its filters stand in the address", {
  ignore: noBrowser,
}, async () => {
  const there = await site();
  for (let n = 1; n <= 52; n++) await post(there, `survey ${n}`);
  const hostile = await post(there, HOSTILE);
  await withPage(stack().gatewayUrl, async ({ page, requests }) => {
    await logIn(page, there.login);
    const rows = page.locator("tbody tr");
    await page.getByText("Live", { exact: true }).waitFor();
    await rows.first().waitFor();
    assert.equal(await rows.first().locator("th bdi").first().textContent(), HOSTILE_SHOWN);
    assert.equal(await rows.count(), 50);

    // What happens is seen, and a whole page of tasks was one question.
    const asked = requests.filter((address) => address.includes("/api/task?")).length;
    assert.equal(asked, 1);
    assert.equal(requests.some((address) => address.includes("/api/run")), false);
    await there.researcher.post("/kill/task", { id: hostile.id });
    await rows.first().getByText("killed", { exact: true }).first().waitFor();
    await post(there, "the newest");
    await page.getByRole("link", { name: "the newest" }).waitFor();

    await page.getByRole("link", { name: "Older" }).press("Enter");
    await page.getByText("Page 2 of 2").waitFor();
    await waitFor(async () => await rows.count() === 4, { what: "the second page" });

    await page.getByLabel("Text").focus();
    await page.keyboard.type("SURVEY 7");
    await page.getByRole("link", { name: "survey 7" }).waitFor();
    await waitFor(async () => await rows.count() === 1, { what: "the search" });
    assert.match(page.url(), /#\/(tasks)?\?search=SURVEY\+7$/);
    await page.reload();
    await page.getByRole("link", { name: "survey 7" }).waitFor();
    assert.equal(await page.getByLabel("Text").inputValue(), "SURVEY 7");
    await page.getByLabel("Status").selectOption("completed");
    await page.getByText("No task fits these filters.").waitFor();
    await page.getByRole("button", { name: "Clear the filters" }).press("Enter");
    await waitFor(async () => await rows.count() === 50, { what: "all tasks again" });
  });
});

Deno.test(
  "a task's picture moves, its log follows until the reader scrolls up, and it is killed by keyboard",
  {
    ignore: noBrowser,
  },
  async () => {
    const there = await site();
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logIn(page, there.login);
      const task = await there.post({
        image: SLOW,
        method: "chatter",
        kwargs: { lines: 400 },
        members: there.members,
      });
      await page.evaluate((id) => {
        location.hash = `#/tasks/${id}`;
      }, task.id);
      await page.getByRole("heading", { name: "chatter" }).waitFor();
      const [first, second] = there.members.map(({ name }) =>
        page.locator(".picture-line", { hasText: name })
      );
      await first!.locator(".stretch.running").waitFor();
      assert.equal(await second!.locator(".stretch.running").count(), 0);
      assert.equal(await second!.locator(".stretch.queued").count(), 1);
      await first!.getByRole("button").press("Enter");
      const log = page.getByRole("log");
      await log.getByText("line 400 <b>bold</b> [U+202E]desrever").waitFor();
      assert.equal(await log.locator("b").count(), 0);
      const lines = (await log.textContent())!.match(/line \d+/g)!;
      assert.deepEqual(lines, Array.from({ length: 400 }, (_, n) => `line ${n + 1}`));
      assert.equal(await isAtEnd(), true);
      await log.focus();
      await page.keyboard.press("PageUp");
      await page.getByRole("button", { name: "Follow again" }).press("Enter");
      await waitFor(isAtEnd, { what: "the log to follow again" });
      await page.getByText("The same as a table").press("Enter");
      const table = page.getByRole("table");
      await table.getByRole("row", { name: there.members[1]!.name }).getByText("pending").waitFor();

      await page.getByRole("button", { name: "Kill", exact: true }).press("Enter");
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      await page.getByRole("button", { name: "Kill", exact: true }).press("Enter");
      await dialog.getByRole("button", { name: "Kill it" }).press("Enter");
      await page.locator("main > header").getByText("killed").waitFor();
      await page.getByRole("button", { name: "Kill", exact: true }).waitFor({ state: "hidden" });

      async function isAtEnd(): Promise<boolean> {
        return await log.evaluate((box) =>
          box.scrollTop + box.clientHeight >= box.scrollHeight - 12
        );
      }
    });
  },
);

Deno.test("a task that failed says first where and why, whatever the reason looks like", {
  ignore: noBrowser,
}, async () => {
  const there = await site();
  const task = await there.post({ image: SLOW, method: HOSTILE });
  await there.outcome(task.id);
  await withPage(stack().gatewayUrl, async ({ page }) => {
    await logIn(page, there.login);
    await page.evaluate((id) => {
      location.hash = `#/tasks/${id}`;
    }, task.id);
    const failure = page.getByRole("region", { name: "First failure" });
    await failure.getByText(there.members[0]!.name).waitFor();
    await failure.getByText("U+202E").first().waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    assert.equal(await page.title(), "Sextant");
    await page.getByText(there.login.username).first().waitFor();
    await failure.getByRole("button", { name: "The whole log" }).press("Enter");
    await page.getByRole("log").waitFor();
    const address = await page.getByRole("link", { name: "Run again with changes" })
      .getAttribute("href");
    assert.equal(address, `#/new-task?from=${task.id}`);
  });
});
