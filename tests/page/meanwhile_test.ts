/**
 * What happens elsewhere while somebody looks: a result that is held and released, a connection
 * that is cut, rules and log-ins that end.
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { Page } from "playwright-core";
import { runHeld } from "../../services/node/disclosure/held_commands.ts";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, type Site } from "../site.ts";
import { createApiClient } from "../support/api.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { logInTo, takeRefusals } from "../support/screens.ts";
import { startWire } from "../support/wire.ts";

const stack = useTestStack();
const withPage = useBrowser();
const SLOW = "deno:slow@1.0.0";

let made: Promise<Site> | undefined;
/** The first node is free to answer; the second one holds what it does not trust. */
function site(): Promise<Site> {
  return made ??= (async () => {
    const holding = { profile: "datashield", unlisted: "hold" };
    const created = await createSite(stack(), {
      data: ["age\n1\n2\n", "age\n3\n4\n"],
      node: (index) => index === 1 ? { disclosure: holding } : {},
    });
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
  "a held result is said to wait, by time and place, and is there at once when it is released",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login, researcher, members: [, second], post } = await site();
    const task = await post({ image: SLOW, method: "now", members: [second!] });
    await withPage(stack().gatewayUrl, async ({ page }) => {
      await logInTo(page, login);
      await goTo(page, `#/tasks/${task.id}`);
      const waits = page.locator(".notice", { hasText: second!.name });
      await waits.getByText("since").waitFor({ timeout: 60_000 });
      await page.locator(".picture-line", { hasText: second!.name }).locator(".stretch.held")
        .waitFor();
      await page.getByText("No organization has finished yet.").waitFor();
      // The list says so, too.
      await goTo(page, "#/tasks");
      await page.locator("tbody tr").first().locator(".held-note").waitFor();
      await goTo(page, `#/tasks/${task.id}`);
      await waits.waitFor();
      const [run] = (await researcher.get(`/run?task_id=${task.id}`)).data;
      const { code, text } = await runHeld({
        dataFolder: `${dirname(second!.config)}/node-data`,
        words: ["release", `${run.id}`],
        reason: "a time of day",
      });
      assert.equal(code, 0, text);
      await waits.waitFor({ state: "detached" });
      await page.locator("main > header").getByText("completed").waitFor();
      await page.locator(".share").getByText(/\d\u202f\d{3}/).first().waitFor();
    });
  },
);

Deno.test(
  "a connection that is cut is said, and what happened meanwhile is there when it is back",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login, post } = await site();
    const wire = startWire(stack().gatewayUrl);
    try {
      await withPage(wire.url, async ({ page, faults }) => {
        await logInTo(page, login);
        await page.getByText("Live", { exact: true }).waitFor();
        wire.cut();
        await page.getByText("Connection lost; trying again").waitFor();
        const task = await post({ image: SLOW, method: "now" });
        const link = page.locator(`a[href="#/tasks/${task.id}"]`);
        assert.equal(await link.count(), 0);
        wire.mend();
        await page.getByText("Live", { exact: true }).waitFor();
        await link.waitFor();
        // A connection that fails is an error of the console: here it is what the test is about.
        const others = faults.filter((fault) => !/net::ERR_|status of 502/.test(fault));
        faults.splice(0, faults.length, ...others);
      });
    } finally {
      wire.stop();
    }
  },
);

Deno.test(
  "a screen whose code or data could not be had while the hub was away is there when it is back",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login } = await site();
    const wire = startWire(stack().gatewayUrl);
    try {
      await withPage(wire.url, async ({ page, faults }) => {
        await logInTo(page, login);
        const live = page.getByText("Live", { exact: true });
        await live.waitFor();
        const failed = page.getByText("This could not be loaded");
        const menu = page.getByRole("navigation", { name: "Main" });
        // Its code, first: the browser would keep it that this could not be had.
        for (const part of ["Organizations", "Roles"]) {
          wire.cut();
          await page.getByText("Connection lost; trying again").waitFor();
          if (part === "Organizations") await menu.getByText("Administration").click();
          else await page.getByRole("link", { name: part, exact: true }).click();
          await failed.first().waitFor();
          wire.mend();
          await live.waitFor();
          if (part === "Organizations") {
            await page.getByRole("link", { name: part, exact: true }).click();
          }
          await page.getByRole("heading", { name: part, level: 1 }).waitFor();
          await page.locator("tbody tr").first().waitFor();
          await failed.waitFor({ state: "detached" });
        }
        const others = faults.filter((fault) => !/net::ERR_|status of 502/.test(fault));
        faults.splice(0, faults.length, ...others);
      });
    } finally {
      wire.stop();
    }
  },
);

Deno.test(
  "a right that ends meanwhile is refused in the hub's words, and the page follows the rules",
  {
    ignore: noBrowser,
  },
  async () => {
    const { admin, login } = await site();
    const [user] = (await admin.get(`/user?username=${login.username}`)).data;
    const roleOf = async (name: string) => (await admin.get(`/role?name=${name}`)).data[0].id;
    const [researcher, viewer] = [await roleOf("Researcher"), await roleOf("Viewer")];
    await withPage(stack().gatewayUrl, async ({ page, faults }) => {
      await logInTo(page, login);
      await goTo(page, "#/new-task");
      await page.getByLabel("Algorithm", { exact: true }).selectOption("other");
      await page.getByLabel("Image").fill(SLOW);
      await page.getByLabel("Method").fill("now");
      await admin.patch(`/user/${user.id}`, { roles: [viewer] });
      try {
        await page.getByRole("button", { name: /^Send/ }).click();
        await page.getByText("You do not have permission").first().waitFor();
        await page.getByText("Your rules have changed").waitFor();
        const menu = page.getByRole("navigation", { name: "Main" });
        await menu.getByRole("link", { name: "New task" }).waitFor({ state: "detached" });
        assert.ok(takeRefusals(faults, 401) > 0);
        // What was typed is there still.
        assert.equal(await page.getByLabel("Image").inputValue(), SLOW);
        await goTo(page, "#/tasks");
        await page.getByText("Your rules have changed").waitFor({ state: "detached" });
        // They come back: seen when somebody looks at the tab again.
        await admin.patch(`/user/${user.id}`, { roles: [researcher] });
        await waitFor(async () => {
          await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
          return await menu.getByRole("link", { name: "New task" }).count() > 0;
        }, { what: "the menu to follow the rules", timeout: 30_000 });
      } finally {
        await admin.patch(`/user/${user.id}`, { roles: [researcher] });
      }
    });
  },
);

Deno.test(
  "a log-in that is ended from elsewhere is said in every tab, and nothing stays to be read",
  {
    ignore: noBrowser,
  },
  async () => {
    const { login } = await site();
    await withPage(stack().gatewayUrl, async ({ page, faults }) => {
      await logInTo(page, login);
      await page.getByText("Live", { exact: true }).waitFor();
      await withPage(stack().gatewayUrl, async (other) => {
        await other.page.getByRole("navigation", { name: "Main" }).waitFor();
        await goTo(other.page, "#/me");
        await other.page.getByText("this one").waitFor();
        const elsewhere = await createApiClient(stack().gatewayUrl)
          .login(login.username, login.password);
        await elsewhere.delete("/session");
        for (const one of [page, other.page]) {
          await goTo(one, "#/administration/organizations");
          await one.getByText("Your session is over.").waitFor();
          assert.equal(await one.getByRole("navigation").count(), 0);
          assert.equal(await one.getByText(login.username).count(), 0);
        }
        takeRefusals(other.faults, 401);
      }, { besides: page });
      takeRefusals(faults, 401);
    });
  },
);
