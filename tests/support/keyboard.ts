/**
 * Pages used by keyboard alone.
 * @module
 */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

/** More parts that take the focus than any screen of the tests has. */
const MOST_STEPS = 120;

/** A browser on a busy machine may not hear a key; a person presses it again. */
const PRESS_AGAIN_MS = 10_000;
const MOST_PRESSES = 3;

/** What has the focus, by its own words or its label. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(
    "(({ labels, textContent }) => labels?.[0]?.textContent ?? textContent)(document.activeElement).trim()",
  );
}

/** Tabs until `wanted` has the focus; fails when the way round the page does not lead there. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor({ state: "attached" });
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    if (await wanted.and(page.locator(":focus")).count() > 0) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${wanted} cannot be reached by keyboard`);
}

/** Tabs to a field, and types what it is to hold in place of what it holds. */
export async function typeInto(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

/**
 * Opens the chooser of a field for files by keys, as the system's dialog; a person chooses `path`.
 */
export async function chooseFile(
  page: Page,
  field: Locator,
  { path, by = "Enter" }: { path: string; by?: "Enter" | "Space" },
): Promise<void> {
  for (let presses = 1;; presses++) {
    await tabTo(page, field);
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser", { timeout: PRESS_AGAIN_MS }).catch((error) => {
        if (presses === MOST_PRESSES) throw error;
        return undefined;
      }),
      page.keyboard.press(by),
    ]);
    if (chooser) return await chooser.setFiles(path);
  }
}
