/**
 * The owner's page in a real browser, served by a real agent.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { waitFor } from "../harness.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { decodePayload } from "../support/decode_payload.ts";
import { focused, tabTo } from "../support/keyboard.ts";
import { type OwnerSite, withOwnerSite } from "../support/owner_site.ts";

const withPage = useBrowser();
type ScreenName = "Now" | "Runs" | "Held" | "Data" | "Rules" | "Record";

/** Somebody whose name is to mislead. */
const HOSTILE = `<img src=x onerror=alert(1)>\u202ednuora\u0007`;

async function goTo(page: Page, screen: ScreenName): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
}

/** A node at which one run was refused and one failed. */
async function withBusySite(use: (site: OwnerSite) => Promise<void>): Promise<void> {
  await withOwnerSite(async (site) => {
    const { hub } = site;
    await hub.final(await hub.post({ image: "deno:unknown@1.0", input: { method: "x" } }));
    await hub.final(
      await hub.post({
        // The node's own, of which a failure is not held.
        image: "deno:average@1.0.0",
        input: { method: "partial", kwargs: { column: "none of them" } },
        databases: ["default"],
        change: { init_username: HOSTILE },
      }),
    );
    await use(site);
  }, { algorithm_library: true, policies: { allowed_algorithms: ["deno:test", "deno:average"] } });
}

Deno.test(
  "the owner comes in by a link, reads what is held, releases one result and refuses another by keyboard",
  { ignore: noBrowser },
  async () => {
    await withBusySite(async ({ hub, hold, link }) => {
      const [one, other] = [await hold(), await hold()];
      const first = await link();
      await withPage(first, async ({ page, requests }) => {
        await page.getByRole("heading", { name: "What happens now" }).waitFor();
        assert.ok(!page.url().includes("key="), page.url());
        assert.ok(requests.every((address) => !address.includes(first.split("key=")[1]!)));
        await page.getByText("2 results wait for you.").waitFor();
        await page.getByRole("link", { name: "Look at what is held" }).click();
        await page.getByRole("link", { name: `Look at run ${one.id}` }).click();
        await page.getByRole("region", { name: "What would leave" }).getByText("30").waitFor();
        await page.getByRole("button", { name: "Release …" }).click();
        await page.getByLabel("Reason").fill("a mean of all");
        await page.getByRole("button", { name: "Release it" }).click();
        await page.getByText("Released: its result leaves.").waitFor();
        await hub.final(one);
        assert.equal(decodePayload(one.result!), 30);

        // From here by keyboard alone.
        await page.keyboard.press("Tab");
        await tabTo(page, page.getByRole("link", { name: "Held", exact: true }));
        await page.keyboard.press("Enter");
        await tabTo(page, page.getByRole("link", { name: `Look at run ${other.id}`, exact: true }));
        await page.keyboard.press("Enter");
        await tabTo(page, page.getByRole("button", { name: "Refuse …", exact: true }));
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        assert.equal(await focused(page), "Reason");
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        assert.equal(await focused(page), "Refuse …");
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await page.keyboard.type("shows one person");
        await page.keyboard.press("Enter");
        await page.getByText("Refused: whoever asked is told.").waitFor();
        await hub.final(other);
        assert.match(other.reason!, /^Refused at release: shows one person/);
        assert.equal(other.result, null);

        await goTo(page, "Runs");
        await page.getByText(/^released by .*, by the page$/).waitFor();
        await page.getByText(/^refused at release by .*, by the page$/).waitFor();
        await page.getByText("shows one person").waitFor();
      });
    });
  },
);

Deno.test(
  "what was asked and what left is told with its rules, in words that nobody else chose, and the log is verified",
  { ignore: noBrowser },
  async () => {
    await withBusySite(async ({ hub, hold, link, dataFolder }) => {
      const held = await hold();
      await withPage(await link(), async ({ page }) => {
        await goTo(page, "Runs");
        await page.getByText("This node does not allow", { exact: false }).first().waitFor();
        // As text, with its direction and its bell seen.
        const name = page.getByText("<img src=x onerror=alert(1)>", { exact: false });
        await name.first().waitFor();
        assert.equal(await page.locator("img").count(), 0);
        assert.ok(await page.locator(".hidden-mark").count() >= 2);
        await page.getByLabel("Show").selectOption("what was refused, withheld or held");
        await name.first().waitFor({ state: "detached" });
        await page.getByText("held for a person").waitFor();

        await goTo(page, "Data");
        await page.getByText("Not looked at since the agent started.").waitFor();
        await page.getByRole("button", { name: "Look at them now" }).click();
        await page.getByText("2 rows, 2 columns", { exact: false }).waitFor();
        await page.getByRole("row", { name: /^age well number, 0 missing/ }).waitFor();

        await goTo(page, "Rules");
        await page.getByRole("row", { name: "profile datashield" }).waitFor();
        await page.getByRole("row", { name: /^allowed_users anything/ }).waitFor();

        await goTo(page, "Record");
        await page.getByLabel("Event").selectOption("result held");
        // Until the answer to it has come all records are there.
        await waitFor(async () => await page.getByText(`result_id ${held.id}`).count() === 1, {
          what: "the one record of what is held",
        });
        await page.getByRole("button", { name: "Verify" }).click();
        await page.getByText(/records, none changed/).waitFor();

        // Somebody writes in it.
        const path = `${dataFolder}/audit.log`;
        const log = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, log.replace('"reason":"This node', '"reason":"That node'));
        await page.getByRole("button", { name: "Verify" }).click();
        await page.getByText(/^Line \d+ was changed\.$/).waitFor();
        await page.getByLabel("Event").selectOption("agent started");
        await page.getByText("This line was changed.").waitFor();
        hub.kill(held);
        await waitFor(() => held.status === "killed by user", { what: "the kill" });
      });
    });
  },
);

Deno.test(
  "a used link and the end of a session lead to how one gets in, in all tabs",
  { ignore: noBrowser },
  async () => {
    await withOwnerSite(async ({ address, link }) => {
      const used = await link();
      await withPage(used, async ({ page, faults }) => {
        await page.getByRole("heading", { name: "What happens now" }).waitFor();
        // In the same browser the session goes on, also in another tab.
        await withPage(address, async (other) => {
          await other.page.getByRole("heading", { name: "What happens now" }).waitFor();
          await page.getByRole("button", { name: "Leave" }).click();
          await page.getByRole("heading", { name: "This page opens by a link" }).waitFor();
          await other.page.getByRole("heading", { name: "This page opens by a link" }).waitFor();
        }, { besides: page });
        // Once more by the link that was used.
        await page.evaluate((hash) => location.hash = hash, used.split("#")[1]!);
        await waitFor(() => faults.length > 0, { what: "the refusal" });
        assert.match(faults.splice(0).join(), /403/);
        await page.getByRole("heading", { name: "This page opens by a link" }).waitFor();
        // Another one.
        await page.evaluate((hash) => location.hash = hash, (await link()).split("#")[1]!);
        await page.getByRole("heading", { name: "What happens now" }).waitFor();
        assert.ok(!page.url().includes("key="));
      });
    });
  },
);
