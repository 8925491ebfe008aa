/**
 * What holds of every screen of the pages: for those who hear it, at all widths, in both colours.
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { waitFor } from "../harness.ts";
import { assertAccessible, NARROW, WIDE } from "./browser.ts";

/** What is left of a wide window at 200 % zoom. */
const ZOOMED = { width: WIDE.width / 2, height: WIDE.height / 2 };

/** What makes the page scroll sideways; what scrolls by itself has room for more than is seen. */
const TOO_WIDE = `document.documentElement.scrollWidth <= document.documentElement.clientWidth ? []
  : [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll"))
    .map((one) => one.tagName + "." + one.className)
    .concat("the page")`;

const VIEWPORTS = { NARROW, ZOOMED, WIDE };

/**
 * Fails for what axe-core finds, wide, narrow and zoomed, light and dark, and where the page itself
 * would have to be scrolled sideways. The screen stays as it is meanwhile; what else than colours
 * could be wrong in the dark was looked for in the light.
 */
export async function assertScreen(page: Page, what: string): Promise<void> {
  for (const [name, viewport] of Object.entries(VIEWPORTS)) {
    await page.setViewportSize(viewport);
    const tooWide = await page.evaluate<string[]>(TOO_WIDE);
    assert.deepEqual(tooWide, [], `${what}, ${name}: the page scrolls sideways`);
    await page.emulateMedia({ colorScheme: "dark" });
    await assertAccessible(page, `${what}, ${name}, dark`, "colours");
    await page.emulateMedia({ colorScheme: "light" });
    await assertAccessible(page, `${what}, ${name}, light`);
  }
}

/**
 * Waits until an expression of the page is true. Its policy forbids what Playwright's own wait
 * does.
 */
export async function becomes(page: Page, expression: string): Promise<void> {
  await waitFor(() => page.evaluate<boolean>(expression), { what: `the page to be ${expression}` });
}

/** Logs in by the form, and waits for the frame. */
export async function logInTo(
  page: Page,
  { username, password }: { username: string; password: string },
): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out", exact: true }).waitFor();
}

/**
 * A refusal of the hub is an error in the browser's console, which is no fault where one is
 * expected: takes those of this status out, and returns how many there were.
 */
export function takeRefusals(faults: string[], status: number): number {
  const isExpected = (fault: string) =>
    fault.startsWith("Failed to load resource") && fault.includes(`status of ${status}`);
  const count = faults.filter(isExpected).length;
  faults.splice(0, faults.length, ...faults.filter((fault) => !isExpected(fault)));
  return count;
}

/** Leaves the browser as if it had been shown other public keys before than those that it knows. */
export async function rememberOtherKeys(page: Page): Promise<void> {
  const changed = await page.evaluate<number>(`{
    const names = Object.keys(localStorage).filter((name) => name.startsWith("sextant-key "));
    const other = "sha256:" + "0".repeat(64) + " 2026-01-02T03:04:05.678Z";
    for (const name of names) localStorage.setItem(name, other);
    names.length;
  }`);
  assert.notEqual(changed, 0, "no key is known yet");
}
