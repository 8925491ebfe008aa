/**
 * The administration shows what its reader may do, by the hub's own rules, and no more; and what
 * they may not do any more is answered by the hub's sentence.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Json } from "../support/api.ts";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { PASSWORD, useTestHub } from "../support/hub.ts";
import { logInTo, takeRefusals } from "../support/screens.ts";

const hub = useTestHub({ page: true });
const withPage = useBrowser();
const url = () => `http://${hub().address.hostname}:${hub().address.port}`;
let serial = 0;

async function ask(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await hub().call(method, path, { token: hub().root, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.body.msg}`);
  return answer.body;
}

interface World {
  own: { id: number; name: string };
  partner: { id: number; name: string };
  stranger: { id: number; name: string };
  ours: number;
  theirs: number;
  nodes: Record<"own" | "partner" | "stranger", number>;
  study: number;
  logIn: { username: string; password: string };
  userId: number;
}

/**
 * Somebody with one role, whose organization shares one collaboration, and another one without
 * them.
 */
async function newWorld(role: string): Promise<World> {
  const tag = `w${++serial}`;
  const [own, partner, stranger] = [
    await ask("POST", "/organization", { name: `Own ${tag}` }),
    await ask("POST", "/organization", { name: `Partner ${tag}` }),
    await ask("POST", "/organization", { name: `Stranger ${tag}` }),
  ];
  const collaborate = async (name: string, organization_ids: number[]) =>
    (await ask("POST", "/collaboration", { name, encrypted: false, organization_ids })).id;
  const ours = await collaborate(`Ours ${tag}`, [own.id, partner.id]);
  const theirs = await collaborate(`Theirs ${tag}`, [partner.id, stranger.id]);
  const newNode = async (organization_id: number, collaboration_id: number) =>
    (await ask("POST", "/node", { organization_id, collaboration_id })).id as number;
  const nodes = {
    own: await newNode(own.id, ours),
    partner: await newNode(partner.id, ours),
    stranger: await newNode(stranger.id, theirs),
  };
  const { id: study } = await ask("POST", "/study", {
    name: `Study ${tag}`,
    collaboration_id: ours,
    organization_ids: [own.id],
  });
  const [{ id: roleId }] = (await ask("GET", `/role?name=${encodeURIComponent(role)}`)).data;
  const logIn = { username: `reader-${tag}`, password: PASSWORD };
  const user = await ask("POST", "/user", {
    ...logIn,
    email: `${tag}@x.example`,
    firstname: "F",
    lastname: "L",
    organization_id: own.id,
    roles: [roleId],
  });
  return { own, partner, stranger, ours, theirs, nodes, study, logIn, userId: user.id };
}

/** What may be done at a screen: the words of its buttons, and of the links that look like them. */
async function doingsAt(page: Page, path: string): Promise<string[]> {
  // Anew each time: the heading of the screen before must not be taken for this one's.
  await page.goto("about:blank");
  await page.goto(`${url()}/#/administration/${path}`);
  await page.locator("main h1").waitFor();
  await page.getByText("Loading …").first().waitFor({ state: "detached" });
  const words = await page.locator("main button, main a.button").allInnerTexts();
  return words.filter((word) => word !== "Search");
}

Deno.test(
  "administration: a Viewer sees what is theirs to see, and nothing to do but to change themselves",
  { ignore: noBrowser },
  async () => {
    const { logIn, own, partner, ours, nodes, study, userId } = await newWorld("Viewer");
    await withPage(url(), async ({ page }) => {
      await logInTo(page, logIn);
      await page.getByRole("link", { name: "Administration" }).click();
      const parts = page.getByRole("navigation", { name: "Administration" });
      await parts.getByRole("link", { name: "Organizations" }).waitFor();
      assert.equal(await parts.getByRole("link", { name: "Audit record" }).count(), 0);
      for (
        const path of [
          "organizations",
          "users",
          "roles",
          "collaborations",
          "studies",
          "nodes",
          "algorithm-stores",
          `organizations/${own.id}`,
          `organizations/${partner.id}`,
          `collaborations/${ours}`,
          `studies/${study}`,
          `nodes/${nodes.own}`,
          `nodes/${nodes.partner}`,
          "roles/4",
        ]
      ) {
        assert.deepEqual(await doingsAt(page, path), [], path);
      }
      assert.deepEqual(await doingsAt(page, `users/${userId}`), ["Change"]);
      for (const path of ["users/new", "roles/new", "nodes/new", `nodes/${nodes.own}/change`]) {
        await page.goto(`${url()}/#/administration/${path}`);
        await page.getByText("Your rules do not reach this.").waitFor();
        assert.equal(await page.locator("main form").count(), 0, path);
      }
      await page.goto(`${url()}/#/administration/audit`);
      await page.getByText("There is no such thing here, or it is not for you.").waitFor();
    });
  },
);

Deno.test(
  "administration: a Viewer who asks by the address for what is not theirs reads the hub's sentence",
  { ignore: noBrowser },
  async () => {
    const { logIn, stranger, theirs, nodes } = await newWorld("Viewer");
    await withPage(url(), async ({ page, faults }) => {
      await logInTo(page, logIn);
      for (
        const [path, sentence] of [
          [`organizations/${stranger.id}`, "You do not have permission to view"],
          [`collaborations/${theirs}`, "You do not have permission to view"],
          [`nodes/${nodes.stranger}`, "You do not have permission to view"],
          ["users/1", "You do not have permission to view"],
          ["users/99999", "There is no user 99999."],
        ] as const
      ) {
        await page.goto(`${url()}/#/administration/${path}`);
        await page.getByText(sentence).waitFor();
        assert.equal(await page.locator("main dl").count(), 0, path);
      }
      takeRefusals(faults, 401);
      takeRefusals(faults, 404);
      assert.deepEqual(faults, []);
    });
  },
);

Deno.test(
  "administration: a Collaboration Admin does what reaches their collaborations, and only that",
  { ignore: noBrowser },
  async () => {
    const world = await newWorld("Collaboration Admin");
    const { own, partner, stranger, ours, nodes, study } = world;
    await withPage(url(), async ({ page }) => {
      await logInTo(page, world.logIn);
      assert.deepEqual(await doingsAt(page, "organizations"), []);
      assert.deepEqual(await doingsAt(page, "collaborations"), []);
      assert.deepEqual(await doingsAt(page, "studies"), ["New study"]);
      assert.deepEqual(await doingsAt(page, `organizations/${own.id}`), ["Change"]);
      assert.deepEqual(await doingsAt(page, `organizations/${partner.id}`), ["Change"]);
      assert.deepEqual(await doingsAt(page, `organizations/${stranger.id}`), []);
      assert.deepEqual(await doingsAt(page, `studies/${study}`), [
        "Change",
        "Delete study",
        "Take in",
      ]);
      const atNode = await doingsAt(page, `nodes/${nodes.own}`);
      assert.deepEqual(atNode, ["Change", "Delete node", "Give a new key"]);
      assert.deepEqual(await doingsAt(page, `nodes/${nodes.partner}`), ["Delete node"]);
      // Whoever is not in a collaboration with them is not theirs to bring in.
      const atCollaboration = await doingsAt(page, `collaborations/${ours}`);
      assert.deepEqual(atCollaboration, ["Change", "Take out", "Take out"]);
      await page.goto(`${url()}/#/administration/nodes`);
      await page.getByRole("row").nth(2).waitFor();
      const rows = await page.getByRole("row").allInnerTexts();
      assert.ok(!rows.some((row) => row.includes(stranger.name)), rows.join("\n"));
      // The public key is for members of the organization alone.
      await page.goto(`${url()}/#/administration/organizations/${partner.id}/change`);
      await page.getByLabel("Name", { exact: true }).waitFor();
      assert.equal(await page.getByLabel("Public key", { exact: true }).count(), 0);
    });
  },
);

Deno.test(
  "administration: what a Collaboration Admin does not hold cannot be given, and the page says why",
  { ignore: noBrowser },
  async () => {
    const { logIn } = await newWorld("Collaboration Admin");
    await withPage(url(), async ({ page }) => {
      await logInTo(page, logIn);
      await page.goto(`${url()}/#/administration/users/new`);
      const root = page.getByLabel(/^Root/);
      await root.waitFor();
      assert.ok(await root.isDisabled());
      await page.getByText("You do not hold all of its rules yourself").first().waitFor();
      assert.ok(await page.getByLabel("Viewer").isEnabled());
      await page.goto(`${url()}/#/administration/roles/new`);
      const nodes = page.getByLabel("View: Nodes");
      await nodes.waitFor();
      const closed = await nodes.locator("option:disabled").evaluateAll(
        (options) => options.map((option) => (option as unknown as { value: string }).value),
      );
      assert.deepEqual(closed, ["GLOBAL"]);
      assert.ok(await page.getByLabel("Create: Collaborations").isDisabled());
      await page.getByText("What is grey is beyond your own rules").waitFor();
    });
  },
);

Deno.test(
  "administration: a right that ends meanwhile gives the hub's sentence, and what was typed stays",
  { ignore: noBrowser },
  async () => {
    const { logIn, userId, nodes } = await newWorld("Collaboration Admin");
    await withPage(url(), async ({ page, faults }) => {
      await logInTo(page, logIn);
      await page.goto(`${url()}/#/administration/nodes/${nodes.own}/change`);
      const name = page.getByLabel("Name", { exact: true });
      await name.fill("Renamed too late");
      await ask("PATCH", `/user/${userId}`, { roles: [4] });
      await page.getByRole("button", { name: "Save" }).click();
      const refusal = page.getByText(`You do not have permission to edit`);
      await refusal.waitFor();
      assert.equal(await name.inputValue(), "Renamed too late");
      // What is not theirs any more is not offered on the next screen.
      await page.getByText("Your rules have changed").waitFor();
      assert.deepEqual(await doingsAt(page, `nodes/${nodes.own}`), []);
      const [admin] = (await ask("GET", "/role?name=Collaboration%20Admin")).data;
      await ask("PATCH", `/user/${userId}`, { roles: [admin.id] });
      await page.reload();
      await page.getByRole("button", { name: "Give a new key" }).click();
      await ask("PATCH", `/user/${userId}`, { roles: [4] });
      await page.getByRole("dialog").getByRole("button", { name: "Give a new key" }).click();
      await page.getByRole("dialog").getByText("You do not have permission").waitFor();
      assert.equal(takeRefusals(faults, 401), 2);
      // With the session gone as well, the log-in comes, and says why.
      await ask("DELETE", `/user/${userId}`);
      await page.goto(`${url()}/#/administration/users`);
      await page.getByText("Your session is over.").waitFor();
      takeRefusals(faults, 401);
    });
  },
);
