/**
 * The administration's main jobs in a real browser: each noun is made, found, changed and deleted,
 * and what the hub refuses is said where it belongs.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { waitFor } from "../harness.ts";
import type { Json } from "../support/api.ts";
import { noBrowser, useBrowser, type WatchedPage } from "../support/browser.ts";
import { PASSWORD, ROOT_PASSWORD, useTestHub } from "../support/hub.ts";
import { becomes, logInTo, takeRefusals } from "../support/screens.ts";

const hub = useTestHub({ page: true });
const withPage = useBrowser();
const url = () => `http://${hub().address.hostname}:${hub().address.port}`;
const ROOT = { username: "root", password: ROOT_PASSWORD };
let serial = 0;

async function ask(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await hub().call(method, path, { token: hub().root, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.body.msg}`);
  return answer.body;
}

async function newCollaboration(): Promise<{ id: number; name: string; members: number[] }> {
  const tag = ++serial;
  const members: number[] = [];
  for (const name of [`Clinic ${tag} a`, `Clinic ${tag} b`]) {
    members.push((await ask("POST", "/organization", { name })).id);
  }
  const name = `Collaboration ${tag}`;
  const body = { name, encrypted: false, organization_ids: members };
  return { id: (await ask("POST", "/collaboration", body)).id, name, members };
}

/** As the administrator, at a screen of the administration. */
async function asRoot(path: string, use: (watched: WatchedPage) => Promise<void>): Promise<void> {
  await withPage(url(), async (watched) => {
    await logInTo(watched.page, ROOT);
    await watched.page.goto(`${url()}/#/administration/${path}`);
    await use(watched);
  });
}

async function heading(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

Deno.test(
  "administration: an organization is made, found and changed by the keyboard alone",
  { ignore: noBrowser },
  async () => {
    const name = `Klinik ${++serial}`;
    await asRoot("organizations", async ({ page, faults }) => {
      const press = async (...keys: string[]) => {
        for (const key of keys) await page.keyboard.press(key);
      };
      const create = page.getByRole("link", { name: "New organization" });
      await create.waitFor();
      await create.focus();
      await press("Enter");
      await page.getByLabel("Name", { exact: true }).waitFor();
      await page.getByLabel("Name", { exact: true }).focus();
      await page.keyboard.type("12345");
      await press("Tab");
      await page.keyboard.type("klinik.example");
      await press("Enter");
      const wrong = page.locator(".field", { hasText: "Name" }).locator(".wrong");
      await wrong.waitFor();
      assert.equal(takeRefusals(faults, 400), 1);
      // The field that is wrong has the focus, and all that was typed is there still.
      await becomes(page, "document.activeElement?.value === '12345'");
      assert.equal(await page.getByLabel("Domain").inputValue(), "klinik.example");
      await press("Control+a");
      await page.keyboard.type(name);
      await press("Enter");
      await heading(page, name);
      await page.getByRole("link", { name: "Change" }).focus();
      await press("Enter");
      await page.getByLabel("Country").focus();
      await page.keyboard.type("Elbonia");
      await press("Enter");
      await page.getByText("Elbonia").waitFor();
      await page.getByRole("link", { name: "← Organizations" }).focus();
      await press("Enter");
      await page.getByLabel("Name holds").focus();
      await page.keyboard.type(name.slice(1));
      await press("Enter");
      await page.waitForURL(/search=/);
      await becomes(page, "document.querySelectorAll('tbody tr').length === 1");
      assert.match(await page.locator("tbody").innerText(), new RegExp(name));
    });
  },
);

Deno.test(
  "administration: a private key is not taken for a public one, and not sent",
  { ignore: noBrowser },
  async () => {
    await asRoot("organizations/1/change", async ({ page, requests }) => {
      const key = page.getByLabel("Public key", { exact: true });
      await key.fill("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n");
      await page.getByText("This is a private key").waitFor();
      assert.equal(await key.inputValue(), "");
      const before = requests.length;
      await page.getByRole("button", { name: "Save" }).click();
      await heading(page, /./);
      await page.getByRole("link", { name: "Change" }).waitFor();
      assert.ok(requests.length > before);
      assert.equal((await ask("GET", "/organization/1")).public_key || "", "");
    });
  },
);

Deno.test(
  "administration: a user is made with a role, given another one, and deleted",
  { ignore: noBrowser },
  async () => {
    const username = `made-by-page${++serial}`;
    await asRoot("users/new", async ({ page, faults }) => {
      await page.getByLabel("User name").fill(username);
      await page.getByLabel("Password").fill("weak");
      await page.getByLabel("First name").fill("Grace");
      await page.getByLabel("E-mail address").fill(`${username}@x.example`);
      await page.getByLabel("Viewer").check();
      await page.getByRole("button", { name: "Save" }).click();
      await page.locator(".wrong", { hasText: "must have at least 8 characters" }).waitFor();
      assert.equal(takeRefusals(faults, 400), 1);
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Save" }).click();
      await heading(page, username);
      await page.getByRole("link", { name: "Viewer" }).waitFor();
      await page.getByRole("link", { name: "Change" }).click();
      await page.getByLabel("Researcher").check();
      await page.getByLabel("Viewer").uncheck();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("link", { name: "Researcher" }).waitFor();
      const [user] = (await ask("GET", `/user?username=${username}`)).data;
      const roles = (await ask("GET", `/role?user_id=${user.id}`)).data;
      assert.deepEqual(roles.map((role: { name: string }) => role.name), ["Researcher"]);
      await page.getByRole("button", { name: "Delete user" }).click();
      await page.getByText("With a user go the tasks").waitFor();
      // What is safe has the focus; Escape closes the question, and the focus is where it was.
      await becomes(page, "document.activeElement?.textContent === 'Cancel'");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await becomes(page, "document.activeElement?.textContent === 'Delete user'");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").getByRole("button", { name: "Delete user" }).click();
      await heading(page, "Users");
      assert.deepEqual((await ask("GET", `/user?username=${username}`)).data, []);
    });
  },
);

Deno.test(
  "administration: a role's rules are chosen in the matrix, with the narrower scopes",
  { ignore: noBrowser },
  async () => {
    const name = `Looker ${++serial}`;
    await asRoot("roles/new", async ({ page }) => {
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("View: Nodes").selectOption("COLLABORATION");
      await page.getByLabel("Create: Tasks").selectOption("COLLABORATION");
      await page.getByRole("button", { name: "Save" }).click();
      await heading(page, name);
      const [role] = (await ask("GET", `/role?name=${encodeURIComponent(name)}`)).data;
      const rules = (await ask("GET", `/rule?role_id=${role.id}`)).data;
      type Shown = { name: string; operation: string; scope: string };
      assert.deepEqual(
        rules.map((one: Shown) => `${one.name}:${one.operation}:${one.scope}`).sort(),
        ["node:VIEW:COLLABORATION", "node:VIEW:ORGANIZATION", "task:CREATE:COLLABORATION"],
      );
      await page.getByRole("link", { name: "Change" }).click();
      assert.equal(await page.getByLabel("View: Nodes").inputValue(), "COLLABORATION");
      await page.getByLabel("View: Nodes").selectOption("");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("link", { name: "Change" }).waitFor();
      assert.equal((await ask("GET", `/rule?role_id=${role.id}`)).data.length, 1);
    });
  },
);

Deno.test(
  "administration: a collaboration and its study are made; members come and go",
  { ignore: noBrowser },
  async () => {
    const { members } = await newCollaboration();
    const [first, second] = await Promise.all(
      members.map(async (id) => (await ask("GET", `/organization/${id}`)).name as string),
    );
    const name = `Together ${++serial}`;
    await asRoot("collaborations/new", async ({ page }) => {
      await page.getByLabel("Name", { exact: true }).fill(name);
      assert.ok(await page.getByLabel("Encryption").isChecked());
      if (await page.getByLabel("Find").isVisible()) await page.getByLabel("Find").fill(first!);
      await page.getByLabel(first!).check();
      await page.getByRole("button", { name: "Save" }).click();
      await heading(page, name);
      await page.getByLabel("Another organization").selectOption({ label: second! });
      await page.getByRole("button", { name: "Take in" }).click();
      await page.getByRole("link", { name: second! }).waitFor();

      await page.goto(`${url()}/#/administration/studies/new`);
      await page.getByLabel("Name", { exact: true }).fill(`Study of ${name}`);
      await page.getByLabel("Collaboration").selectOption({ label: name });
      await page.getByLabel(second!).check();
      await page.getByRole("button", { name: "Save" }).click();
      await heading(page, `Study of ${name}`);
      await page.getByRole("link", { name: second! }).waitFor();

      await page.getByRole("link", { name }).click();
      await page.getByRole("button", { name: `Take out ${second}` }).click();
      await page.getByText("its places in studies").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Take out" }).click();
      await page.getByRole("link", { name: second! }).waitFor({ state: "detached" });
      const [study] = (await ask("GET", `/study?include=organizations`)).data.slice(-1);
      assert.deepEqual(study.organizations, []);
    });
  },
);

Deno.test(
  "administration: what goes along is told by the hub, and goes only when that is ticked",
  { ignore: noBrowser },
  async () => {
    const { id, name, members } = await newCollaboration();
    await ask("POST", "/study", { name: "S", collaboration_id: id, organization_ids: members });
    await asRoot(`collaborations/${id}`, async ({ page, faults }) => {
      await page.getByRole("button", { name: "Delete collaboration" }).click();
      const question = page.getByRole("dialog");
      await question.getByText("go its studies, its nodes").waitFor();
      const remove = question.getByRole("button", { name: "Delete collaboration" });
      await remove.click();
      await question.getByText(`Collaboration ${id} has tasks, nodes or studies`).waitFor();
      assert.equal(takeRefusals(faults, 400), 1);
      assert.ok(await remove.isDisabled());
      assert.equal((await ask("GET", `/collaboration/${id}`)).name, name);
      await question.getByLabel("Delete all of this too").check();
      await remove.click();
      await heading(page, "Collaborations");
      assert.equal(
        (await hub().call("GET", `/collaboration/${id}`, { token: hub().root })).status,
        404,
      );
    });
  },
);

Deno.test(
  "administration: the key of a node is shown once, works, and is nowhere afterwards",
  { ignore: noBrowser },
  async () => {
    const { name, members } = await newCollaboration();
    const clinic = (await ask("GET", `/organization/${members[0]}`)).name;
    await asRoot("nodes/new", async ({ page, faults }) => {
      async function shownKey(): Promise<string> {
        await page.getByText("This is shown once.").waitFor();
        const file = await page.getByRole("region", { name: "node.yaml" }).innerText();
        assert.match(file, /^server_url: http:\/\/127\.0\.0\.1$/m);
        return /^api_key: (\S+)$/m.exec(file)![1]!;
      }
      async function isNowhere(key: string): Promise<void> {
        assert.ok(!(await page.content()).includes(key), "in the page");
        assert.ok(!page.url().includes(key), "in the address");
        const stored = await page.evaluate<string>(
          "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])",
        );
        assert.ok(!stored.includes(key), "in a store");
      }
      const logIn = (api_key: string) => hub().call("POST", "/token/node", { body: { api_key } });

      await page.getByLabel("Collaboration").selectOption({ label: name });
      await page.getByLabel("Organization").selectOption({ label: clinic });
      await page.getByRole("button", { name: "Save" }).click();
      const key = await shownKey();
      assert.equal((await logIn(key)).status, 200);
      await page.getByRole("button", { name: "I have kept it" }).click();
      await heading(page, `${clinic} - ${name} Node`);
      await isNowhere(key);
      await page.goBack();
      await page.goForward();
      await heading(page, `${clinic} - ${name} Node`);
      await isNowhere(key);

      await page.getByRole("button", { name: "Give a new key" }).click();
      await page.getByText("The present key is good no longer").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Give a new key" }).click();
      const another = await shownKey();
      assert.notEqual(another, key);
      assert.equal((await logIn(key)).status, 401);
      assert.equal((await logIn(another)).status, 200);
      await page.getByRole("button", { name: "I have kept it" }).click();
      await page.getByRole("button", { name: "Give a new key" }).waitFor();
      await isNowhere(another);
      assert.deepEqual(faults, []);
    });
  },
);

Deno.test(
  "administration: the audit record is filtered and paged, and shows its seals and the hub's health",
  { ignore: noBrowser },
  async () => {
    const tag = `audited${++serial}`;
    for (let index = 0; index < 30; index++) {
      await ask("POST", "/organization", { name: `${tag} ${index}` });
    }
    await hub().call("DELETE", "/organization/1", { token: hub().root });
    await asRoot("audit", async ({ page }) => {
      const rows = page.locator("table").first().locator("tbody tr");
      await page.getByLabel("What").fill("organization.changed");
      await page.getByRole("button", { name: "Search" }).click();
      await becomes(page, "document.querySelector('table').tBodies[0].rows.length === 25");
      await page.getByRole("link", { name: "Next" }).click();
      await page.getByText("Page 2").waitFor();
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByLabel("Outcome").selectOption("refused");
      await page.getByRole("button", { name: "Search" }).click();
      await waitFor(async () => {
        const texts = await rows.allInnerTexts();
        return texts.length > 0 && texts.every((text) => text.includes("refused"));
      }, { what: "the record to show refusals alone" });
      await page.getByText("DELETE /api/organization/1").first().waitFor();
      await page.getByText("Details").first().click();
      await page.locator("details[open] dt", { hasText: "Request id" }).waitFor();
      await page.getByRole("heading", { name: "Seals" }).waitFor();
      await page.getByRole("link", { name: "Health" }).click();
      await page.getByText("All services are ready.").waitFor();
      await page.getByRole("rowheader", { name: "identity" }).waitFor();
    });
  },
);
