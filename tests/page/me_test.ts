/**
 * One's own account in the page, and the ways back into it, in a real browser.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { noBrowser, useBrowser } from "../support/browser.ts";
import { typeInto } from "../support/keyboard.ts";
import { codeOf, PASSWORD, useTestHub } from "../support/hub.ts";
import { assertScreen, takeRefusals } from "../support/screens.ts";

const hub = useTestHub({ page: true, twoFactor: true });
const withPage = useBrowser();
const url = () => `http://${hub().address.hostname}:${hub().address.port}`;
const root = () => hub().signIn({ type: "user", id: 1 });
const VIEWER = 4;
const OTHER = "Other-password-2";
let serial = 0;

interface Person {
  id: number;
  username: string;
  email: string;
  secret: string;
}

/** Somebody with a second factor. */
async function newPerson(): Promise<Person> {
  const username = `myself${++serial}`;
  const email = `${username}@x.example`;
  const { body } = await hub().call("POST", "/user", {
    token: await root(),
    body: {
      username,
      password: PASSWORD,
      email,
      firstname: "Ada",
      lastname: "L",
      roles: [VIEWER],
    },
  });
  const logIn = { username, password: PASSWORD };
  const { otp_secret: secret } = (await hub().call("POST", "/token/user", { body: logIn })).body;
  return { id: body.id, username, email, secret };
}

/** By name, password and the code that the page asks for. */
async function logIn(page: Page, { username, secret }: Person, password = PASSWORD) {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Code of the second factor").fill(codeOf(secret, hub().now()));
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out", exact: true }).waitFor();
  // A code is good once.
  hub().advance(30);
}

async function tokenFor({ email }: Person): Promise<string> {
  const mail = (await hub().mails()).findLast((one) => one.to === email);
  return /^[\w-]{40,}$/m.exec(mail!.text)![0];
}

Deno.test(
  "me: shows the account, its log-ins and its rules in words, for everybody",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    await hub().signIn({ type: "user", id: person.id });
    await withPage(url(), async ({ page }) => {
      await logIn(page, person);
      await page.getByRole("link", { name: "Me", exact: true }).click();
      const rules = page.locator("section", {
        has: page.getByRole("heading", { name: "My rules" }),
      });
      await rules.getByText("see those of your collaborations").first().waitFor();
      assert.match(
        await rules.innerText(),
        /Users\s+see those of your organization; change your own/,
      );
      await page.getByText("this one").waitFor();
    });
  },
);

Deno.test(
  "me: a log-in is ended by the keyboard alone, and lets nobody in any more",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    const elsewhere = await hub().signIn({ type: "user", id: person.id });
    await withPage(url(), async ({ page }) => {
      await logIn(page, person);
      await page.goto(`${url()}/#/me`);
      const end = page.getByRole("button", { name: /^End the log-in of/ });
      await end.waitFor();
      await end.focus();
      await page.keyboard.press("Enter");
      await end.waitFor({ state: "detached" });
      assert.equal((await hub().call("GET", "/session", { token: elsewhere })).status, 401);
      await page.getByText("this one").waitFor();
    });
  },
);

Deno.test(
  "me: a new password is told what it lacks; a wrong old one is refused and nobody is logged out",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    await withPage(url(), async ({ page, faults }) => {
      await logIn(page, person);
      await page.goto(`${url()}/#/me`);
      await page.getByLabel("Current password").first().fill("Wrong-password-1");
      await page.getByLabel("New password").fill("short");
      await page.getByText("must have at least 8 characters").waitFor();
      await page.getByLabel("New password").fill(OTHER);
      await page.getByText("This password will do.").waitFor();
      const change = page.getByRole("button", { name: "Change password" });
      await change.click();
      await page.getByText("The user name or the password is wrong").waitFor();
      assert.equal(takeRefusals(faults, 401), 1);
      await page.getByLabel("Current password").first().fill(PASSWORD);
      await change.click();
      await page.getByText("The password is changed.").waitFor();
      assert.equal(await page.getByLabel("Current password").first().inputValue(), "");
      await page.getByRole("button", { name: "Log out", exact: true }).click();
      await logIn(page, person, OTHER);
    });
  },
);

Deno.test(
  "the log-in screen leads back in with a lost password, by a token from the mail",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    await withPage(url(), async ({ page, faults }) => {
      await page.getByRole("link", { name: "Password forgotten?" }).click();
      await page.getByLabel("User name or e-mail address").fill(person.email);
      await page.keyboard.press("Enter");
      await page.getByText("a mail with a reset token is on its way").waitFor();
      await page.getByLabel("Token from the mail").fill("not-the-one");
      await page.getByLabel("New password").fill(OTHER);
      await page.getByRole("button", { name: "Set the password" }).click();
      await page.getByText("The reset token is wrong").waitFor();
      assert.equal(takeRefusals(faults, 400), 1);
      await page.getByLabel("Token from the mail").fill(await tokenFor(person));
      await page.getByRole("button", { name: "Set the password" }).click();
      await page.getByText("The password is changed; log in with it.").waitFor();
      await page.getByRole("link", { name: "To the log-in" }).click();
      await logIn(page, person, OTHER);
    });
  },
);

Deno.test(
  "me: leads out to a new second factor, whose picture is shown once and whose code lets in",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    await withPage(url(), async ({ page, faults }) => {
      await logIn(page, person);
      await page.goto(`${url()}/#/me`);
      // What is asked for while one leaves is refused; here nothing is.
      await page.getByText("see those of your collaborations").first().waitFor();
      await page.getByText("this one").waitFor();
      await page.getByRole("button", { name: "Log out and replace it by mail" }).click();
      await page.getByLabel("User name or e-mail address").fill(person.username);
      await page.getByLabel("Password").fill("Wrong-password-1");
      await page.getByRole("button", { name: "Send the token" }).click();
      await page.getByText("The user name or the password is wrong").waitFor();
      assert.equal(takeRefusals(faults, 401), 1);
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Send the token" }).click();
      await page.getByText("A mail with a reset token is on its way").waitFor();
      await page.getByLabel("Token from the mail").fill(await tokenFor(person));
      await page.getByRole("button", { name: "Show the new second factor" }).click();
      await page.getByRole("img", { name: "QR code of the second factor" }).waitFor();
      const secret = await page.locator("code").innerText();
      await assertScreen(page, "new second factor");
      await page.getByRole("link", { name: "To the log-in" }).click();
      await page.getByLabel("User name").waitFor();
      assert.ok(!(await page.content()).includes(secret));
      await logIn(page, { ...person, secret });
    });
  },
);

Deno.test(
  "me: the second factor is replaced by keyboard, with its picture; this log-in goes on and others end",
  { ignore: noBrowser },
  async () => {
    const person = await newPerson();
    const elsewhere = await hub().signIn({ type: "user", id: person.id });
    await withPage(url(), async ({ page, faults }) => {
      await logIn(page, person);
      await page.goto(`${url()}/#/me`);
      const part = page.locator("section", {
        has: page.getByRole("heading", { name: "Second factor" }),
      });
      await typeInto(page, part.getByLabel("Current password"), "Wrong-password-1");
      const code = () => codeOf(person.secret, hub().now());
      await typeInto(page, part.getByLabel("Code of the present second factor"), code());
      await page.keyboard.press("Enter");
      await part.getByText("The user name or the password is wrong").waitFor();
      await typeInto(page, part.getByLabel("Current password"), PASSWORD);
      await typeInto(page, part.getByLabel("Code of the present second factor"), "000000");
      await page.keyboard.press("Enter");
      await part.getByText("The code is wrong").waitFor();
      assert.equal(takeRefusals(faults, 401), 2);
      await typeInto(page, part.getByLabel("Code of the present second factor"), code());
      await page.keyboard.press("Enter");
      await part.getByRole("img", { name: "QR code of the new second factor" }).waitFor();
      const secret = await part.locator("code").innerText();
      assert.notEqual(secret, person.secret);
      await assertScreen(page, "a new second factor");
      // Typing goes on in the field that asks for its code.
      await page.keyboard.type("000000");
      await page.keyboard.press("Enter");
      await part.getByText("This is no code of the new second factor.").waitFor();
      assert.equal(takeRefusals(faults, 400), 1);
      await typeInto(page, part.getByLabel("Code that the app shows"), codeOf(secret, hub().now()));
      await page.keyboard.press("Enter");
      await part.getByText("The second factor is replaced.").waitFor();
      assert.ok(!(await page.content()).includes(secret));
      assert.equal((await hub().call("GET", "/session", { token: elsewhere })).status, 401);
      hub().advance(30);
      await page.getByRole("button", { name: "Log out", exact: true }).click();
      await logIn(page, { ...person, secret });
    });
  },
);
