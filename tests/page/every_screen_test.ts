/**
 * Every screen of the page and of the owner's page, in each of its main states: for those who hear
 * it, in light and dark, at 360 and 1,440 pixels and at 200 % zoom, with names that were made to do
 * harm. No request to another origin, nothing that the policy forbids, no error in the console.
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { newOrganizationKey, readOrganizationKey } from "../../services/client/mod.ts";
import { runPage } from "../../services/node/page/page_command.ts";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, type Json, type Site } from "../site.ts";
import { noBrowser, useBrowser, type WatchedPage } from "../support/browser.ts";
import { assertScreen, logInTo, rememberOtherKeys, takeRefusals } from "../support/screens.ts";
import { post } from "../support/shown_site.ts";
import { EVERYTHING, MODEL } from "../support/shown_values.ts";

const stack = useTestStack();
const withPage = useBrowser();
const HOSTILE = '<img src=x onerror="alert(1)">\u202eevil\u0007';
const SHOWN = "deno:shown@1.0.0";
const SLOW = "deno:slow@1.0.0";

interface World {
  /** Two organizations; the second one's node holds what it does not trust. */
  open: Site;
  /** One organization whose results are encrypted. */
  sealed: Site;
  key: string;
  otherKey: string;
  tasks: Record<"drawn" | "failed" | "running" | "held" | "nameless" | "text" | "sealed", number>;
  /** One of each noun of the administration, by its part of the address. */
  nouns: Record<string, number>;
}

let made: Promise<World> | undefined;
const world = () => made ??= createWorld();

async function createWorld(): Promise<World> {
  const [key, otherKey] = await Promise.all(["own", "other"].map(async (name) => {
    const path = join(stack().folder, `${name}.pem`);
    await Deno.writeTextFile(path, await newOrganizationKey(2048), { mode: 0o600 });
    return path;
  }));
  const policies = { allowed_algorithms: [SHOWN, SLOW] };
  const holding = { profile: "datashield", unlisted: "hold" };
  const open = await createSite(stack(), {
    data: ["age,sex\n31,f\n48,m\n", "age,sex\n59,f\n62,m\n"],
    node: (index) => ({
      share_columns: true,
      ...index === 0 ? { policies } : { disclosure: holding },
    }),
  });
  const sealed = await createSite(stack(), {
    data: ["age\n1\n"],
    encrypted: true,
    node: { encryption: { enabled: true, private_key: key }, policies },
  });
  await Promise.all([
    ...open.members.map((member) => open.startNode(member)),
    sealed.startNode(sealed.members[0]!),
  ]);
  const url = stack().gatewayUrl;
  const [first, second] = open.members;
  const shown = (method: string, value: unknown, name?: string) =>
    post(url, open, { method, value, name });
  const held = await open.post({ image: SLOW, method: "now", members: [second!] });
  const tasks = {
    held: held.id,
    drawn: await shown("everything", EVERYTHING, HOSTILE),
    nameless: await shown("anything", { "<b>": HOSTILE, n: 3 }, " "),
    text: (await open.post({ image: SLOW, method: "text", kwargs: { length: 40_000 } })).id,
    sealed: await post(url, sealed, {
      method: "model",
      value: MODEL,
      key: await readOrganizationKey(await Deno.readTextFile(key!)),
    }),
    failed: (await open.post({ image: SLOW, method: "fail" })).id,
    running: (await open.post({ image: SLOW, method: "chatter", members: [first!, second!] })).id,
  };
  await open.outcome(tasks.failed);
  await open.outcome(tasks.text);
  await waitFor(
    async () => (await open.researcher.get(`/run?task_id=${held.id}`)).data[0].held_since,
    { what: "the result to be held", timeout: 60_000 },
  );
  return { open, sealed, key: key!, otherKey: otherKey!, tasks, nouns: await nounsOf(open.admin) };
}

async function nounsOf(admin: Site["admin"]): Promise<Record<string, number>> {
  const made = async (path: string, body: Json) => (await admin.post(path, body)).id as number;
  const organizations = await made("/organization", { name: HOSTILE, country: HOSTILE });
  const organization_ids = [1, organizations];
  const collaborations = await made("/collaboration", {
    name: HOSTILE,
    encrypted: true,
    organization_ids,
  });
  const place = { name: HOSTILE, collaboration_id: collaborations };
  return {
    organizations,
    users: 1,
    roles: await made("/role", { name: HOSTILE, description: HOSTILE, rules: [1, 2] }),
    collaborations,
    studies: await made("/study", { ...place, organization_ids }),
    nodes: await made("/node", { ...place, organization_id: organizations }),
  };
}

interface Screen {
  name: string;
  /** Behind the `#`; where the one before was, unless given. */
  hash?: string;
  /** Brings it into the state that is looked at, and waits for that. */
  reach?: (page: Page) => Promise<unknown>;
  /** Out of it again. */
  leave?: (page: Page) => Promise<unknown>;
  /** Statuses of refusals that it is about. */
  refusal?: number;
}

/** Goes through the screens in one page, which is never loaded anew. */
async function assertScreens({ page, faults }: WatchedPage, screens: Screen[]): Promise<void> {
  for (const { name, hash, reach, leave, refusal } of screens) {
    try {
      if (hash !== undefined) {
        await page.evaluate((to) => {
          location.hash = to;
        }, hash);
        await page.locator("main h1").waitFor();
      }
      await reach?.(page);
      await page.getByText("Loading …").first().waitFor({ state: "detached" });
      await assertScreen(page, name);
      // Nothing that others wrote has become markup.
      assert.equal(await page.locator("main img, main script").count(), 0, name);
      await leave?.(page);
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
    if (refusal !== undefined) assert.ok(takeRefusals(faults, refusal) > 0, `${name}: no refusal`);
    assert.deepEqual(faults, [], name);
  }
}

const button = (name: string | RegExp) => (page: Page) =>
  page.getByRole("button", { name, exact: typeof name === "string" }).first().click();
const seen = (text: string | RegExp) => (page: Page) => page.getByText(text).first().waitFor();
const heading = (name: string | RegExp) => (page: Page) =>
  page.getByRole("heading", { name }).first().waitFor();
const inTurn = (...acts: ((page: Page) => Promise<unknown>)[]) => async (page: Page) => {
  for (const act of acts) await act(page);
};
const escape = (page: Page) => page.keyboard.press("Escape");

Deno.test("the ways in are accessible in all looks", { ignore: noBrowser }, async () => {
  await withPage(stack().gatewayUrl, async (watched) => {
    await assertScreens(watched, [
      { name: "log-in", reach: heading("Log in") },
      {
        name: "log-in, refused",
        reach: async (page) => {
          await page.getByLabel("User name").fill("nobody");
          await page.getByLabel("Password").fill("Wrong-password-1");
          await page.keyboard.press("Enter");
          await page.getByRole("alert").getByText(/./).waitFor();
        },
        refusal: 401,
      },
      { name: "lost password", hash: "#/recover/password" },
      { name: "lost password, with a token", reach: button("I have a token") },
      { name: "lost second factor", hash: "#/recover/second-factor" },
      { name: "lost second factor, with a token", reach: button("I have a token") },
    ]);
  });
});

Deno.test("work, tasks and results are accessible in all looks and states", {
  ignore: noBrowser,
}, async () => {
  const { open, tasks } = await world();
  await withPage(stack().gatewayUrl, async (watched) => {
    await logInTo(watched.page, open.login);
    await assertScreens(watched, [
      { name: "work", hash: "#/tasks", reach: seen("Live") },
      { name: "work, nothing found", hash: "#/tasks?search=nowhere", reach: seen("No task fits") },
      {
        name: "every picture",
        hash: `#/tasks/${tasks.drawn}`,
        reach: async (page) => {
          await page.getByRole("img", { name: /^centres/ }).waitFor();
          assert.equal(await page.locator(".drawing svg").count(), 9);
        },
      },
      {
        name: "a table of what runs",
        reach: inTurn(
          (page) => page.getByText("The same as a table").click(),
          (page) => page.getByRole("table").first().waitFor(),
        ),
      },
      {
        name: "a task without a name",
        hash: `#/tasks/${tasks.nameless}`,
        reach: heading(/^Task \d/),
      },
      { name: "a result that is a text", hash: `#/tasks/${tasks.text}`, reach: seen("xxxxxxxx") },
      { name: "a failure", hash: `#/tasks/${tasks.failed}`, reach: seen("First failure") },
      {
        name: "its log",
        reach: inTurn(button("The whole log"), (page) => page.getByRole("log").waitFor()),
      },
      { name: "a held result", hash: `#/tasks/${tasks.held}`, reach: seen("waits") },
      {
        name: "a task that runs",
        hash: `#/tasks/${tasks.running}`,
        reach: (page) => page.locator(".stretch.running").first().waitFor(),
      },
      {
        name: "the question before a kill",
        reach: inTurn(button("Kill"), (page) => page.getByRole("dialog").waitFor()),
        leave: escape,
      },
      {
        name: "no such task",
        hash: "#/tasks/999999",
        reach: (page) => page.getByRole("alert").getByText(/./).first().waitFor(),
        refusal: 404,
      },
      { name: "no such screen", hash: "#/nowhere", reach: seen("There is no such screen") },
      { name: "me", hash: "#/me", reach: seen("this one") },
      {
        name: "me, rules as a table",
        reach: (page) => page.locator("main summary").last().click(),
      },
      {
        name: "new task",
        hash: "#/new-task",
        reach: (page) => page.getByLabel("Algorithm").waitFor(),
      },
      { name: "new task, with what is wrong", reach: button(/^Send/) },
      {
        name: "new task, another image",
        reach: (page) => page.getByLabel("Algorithm", { exact: true }).selectOption("other"),
      },
      {
        name: "new task, filled in",
        hash: `#/new-task?from=${tasks.drawn}`,
        reach: seen("Filled in"),
      },
    ]);
  });
});

Deno.test("what the key is for is accessible in all looks and states", {
  ignore: noBrowser,
}, async () => {
  const { sealed, tasks, key, otherKey } = await world();
  const give = (path: string) => (page: Page) =>
    page.getByLabel("Choose key file").setInputFiles(path);
  await withPage(stack().gatewayUrl, async (watched) => {
    await logInTo(watched.page, sealed.login);
    await assertScreens(watched, [
      {
        name: "a sealed result",
        hash: `#/tasks/${tasks.sealed}`,
        reach: (page) => page.getByLabel("Choose key file").waitFor({ state: "attached" }),
      },
      {
        name: "with a wrong key",
        reach: inTurn(give(otherKey), seen("This is not the key"), seen("cannot be opened")),
        leave: button("Forget key"),
      },
      {
        name: "with the key",
        reach: inTurn(give(key), (page) => page.getByRole("img", { name: /^coef/ }).waitFor()),
      },
      {
        name: "a new task that is signed",
        hash: "#/new-task",
        reach: seen("is held in the memory"),
      },
      {
        name: "a key that is another than before",
        hash: `#/tasks/${tasks.sealed}`,
        reach: inTurn(
          rememberOtherKeys,
          (page) => page.evaluate(() => void (location.hash = "#/new-task")),
          button("Compare the keys"),
          (page) => page.getByRole("dialog").waitFor(),
        ),
        leave: escape,
      },
      { name: "the notice of it", reach: seen("is another than before") },
    ]);
  });
});

Deno.test(
  "every screen of the administration is accessible in all looks, and shows hostile names as text",
  {
    ignore: noBrowser,
  },
  async () => {
    const { nouns } = await world();
    const credentials = await stack().adminCredentials();
    const at = (path: string) => `#/administration/${path}`;
    // The mark of what turns the direction of text is seen.
    const named = inTurn(
      (page) => page.locator("h1", { hasText: "<img src=x" }).waitFor(),
      (page) => page.locator("h1", { hasText: "U+202E" }).waitFor(),
    );
    const ofNouns = Object.entries(nouns).flatMap(([noun, id]): Screen[] => [
      { name: noun, hash: at(noun), reach: (page) => page.locator("tbody tr").first().waitFor() },
      {
        name: `${noun}, new`,
        hash: at(`${noun}/new`),
        reach: (page) => page.locator("main form").waitFor(),
      },
      {
        name: `${noun}, one`,
        hash: at(`${noun}/${id}`),
        reach: noun === "users" ? (page) => page.locator("main dl").first().waitFor() : named,
      },
      {
        name: `${noun}, changed`,
        hash: at(`${noun}/${id}/change`),
        reach: (page) => page.locator("main form").waitFor(),
      },
    ]);
    const dialog = (page: Page) => page.getByRole("dialog");
    await withPage(stack().gatewayUrl, async (watched) => {
      await logInTo(watched.page, credentials);
      await assertScreens(watched, [
        ...ofNouns,
        {
          name: "what is wrong in a form",
          hash: at("organizations/new"),
          reach: async (page) => {
            await page.getByLabel("Name", { exact: true }).fill("12345");
            await page.keyboard.press("Enter");
            await page.locator(".wrong").first().waitFor();
          },
          refusal: 400,
        },
        {
          name: "nothing found",
          hash: at("organizations?search=nowhere"),
          reach: (page) => page.getByRole("table").waitFor({ state: "detached" }),
        },
        {
          name: "no such record",
          hash: at("users/999999"),
          reach: (page) => page.getByRole("alert").getByText(/./).first().waitFor(),
          refusal: 404,
        },
        { name: "algorithm stores", hash: at("algorithm-stores") },
        {
          name: "algorithm stores, new",
          hash: at("algorithm-stores/new"),
          reach: (page) => page.locator("main form").waitFor(),
        },
        { name: "health", hash: at("health"), reach: (page) => page.getByRole("table").waitFor() },
        {
          name: "audit record",
          hash: at("audit"),
          reach: (page) => page.locator("tbody tr").first().waitFor(),
        },
        {
          name: "the question before a deletion",
          hash: at(`organizations/${nouns.organizations}`),
          reach: inTurn(button(/^Delete/), (page) => dialog(page).waitFor()),
          leave: escape,
        },
        {
          name: "the question before a new key",
          hash: at(`nodes/${nouns.nodes}`),
          reach: inTurn(button("Give a new key"), (page) => dialog(page).waitFor()),
        },
        {
          name: "the key of a node",
          reach: inTurn(
            (page) => dialog(page).getByRole("button", { name: "Give a new key" }).click(),
            seen("This is shown once."),
          ),
        },
      ]);
    });
  },
);

Deno.test("every screen of the owner's page is accessible in all looks", {
  ignore: noBrowser,
}, async () => {
  const { open: { members } } = await world();
  const { text, code } = await runPage(`${dirname(members[1]!.config)}/node-data`);
  assert.equal(code, 0, text);
  const link = (name: string) => (page: Page) =>
    page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
  const table = (page: Page) => page.getByRole("table").first().waitFor();
  await withPage(text.split("\n")[0]!, async (watched) => {
    await assertScreens(watched, [
      { name: "now", reach: inTurn(heading("What happens now"), table) },
      { name: "runs", reach: inTurn(link("Runs"), table) },
      {
        name: "held",
        reach: inTurn(
          link("Held"),
          (page) => page.getByRole("link", { name: /^Look at run/ }).first().waitFor(),
        ),
      },
      {
        name: "one that is held",
        reach: inTurn(
          (page) => page.getByRole("link", { name: /^Look at run/ }).first().click(),
          (page) => page.getByRole("button", { name: "Release …" }).waitFor(),
        ),
      },
      {
        name: "a decision",
        reach: inTurn(button("Release …"), (page) => page.getByRole("dialog").waitFor()),
        leave: escape,
      },
      {
        name: "data",
        reach: inTurn(
          link("Data"),
          button("Look at them now"),
          (page) => page.getByRole("row", { name: /^age well/ }).waitFor(),
        ),
      },
      { name: "rules", reach: inTurn(link("Rules"), table) },
      { name: "record", reach: inTurn(link("Record"), table) },
      { name: "record, verified", reach: inTurn(button("Verify"), seen(/none changed/)) },
      {
        name: "the entrance",
        reach: inTurn(button("Leave"), heading("This page opens by a link")),
      },
    ]);
  });
});
