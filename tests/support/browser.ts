/**
 * A real Chromium for tests of the pages. Where there is none the tests are skipped and say so.
 *
 * What no page may do fails the test that did it: an error in the console, a request to another
 * origin, something that the page's policy forbids.
 * @module
 */
import assert from "node:assert/strict";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** The headless shell first: it is the same browser without windows, at half of the computing. */
const PROGRAMS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

async function findChromium(): Promise<string | undefined> {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const program of PROGRAMS) {
    for (const folder of folders) {
      const path = `${folder}/${program}`;
      if (await Deno.stat(path).catch(() => undefined)) return path;
    }
  }
  return undefined;
}

const program = await findChromium();
if (program === undefined) {
  console.log("Chromium is not installed (apt install chromium): tests of the pages are skipped.");
}

/** `ignore` of a test that needs a browser. */
export const noBrowser: boolean = program === undefined;

/** Longer than a page that was cut off waits before it tries again, on a machine that is busy. */
const PATIENCE_MS = 90_000;

/**
 * Chromium breaks off what is under way when a network interface comes or goes, as those of
 * containers do in tests beside these; the page asks again.
 */
const OF_THE_MACHINE = /net::ERR_NETWORK_CHANGED/;

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 360, height: 740 };

export interface WatchedPage {
  page: Page;
  /** What went wrong so far; a test that expects an error of the console takes it out. */
  faults: string[];
  /** Every address that was asked for. */
  requests: string[];
}

export interface OpenOptions {
  viewport?: { width: number; height: number };
  colorScheme?: "light" | "dark";
  /** With the cookies of a page that is open already: another tab. */
  besides?: Page;
}

export interface TestBrowser {
  /** A page at `url`. Its faults fail the test: see {@linkcode withPage}. */
  open(url: string, options?: OpenOptions): Promise<WatchedPage>;
  close(): Promise<void>;
}

/** Starts a Chromium. */
export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: program!,
    // As root Chromium has no walls of its own; the pages are ours.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return {
    async open(url, { viewport = WIDE, colorScheme = "light", besides } = {}) {
      const context: BrowserContext = besides?.context() ??
        await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const faults: string[] = [];
      const requests: string[] = [];
      const { origin } = new URL(url);
      page.on("console", (message) => {
        if (OF_THE_MACHINE.test(message.text())) return;
        if (["error", "warning"].includes(message.type())) faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("request", (request) => {
        const address = request.url();
        requests.push(address);
        const isOwn = /^(data|blob):/.test(address) || new URL(address).origin === origin;
        if (!isOwn) faults.push(`A request to another origin: ${address}`);
      });
      await page.goto(url);
      return { page, faults, requests };
    },
    close: () => browser.close(),
  };
}

/**
 * One browser for all tests of the file that calls this at its top; the function opens a page for a
 * test, and fails it for what the page may not do.
 */
export function useBrowser(): (
  url: string,
  use: (watched: WatchedPage) => Promise<void>,
  options?: OpenOptions,
) => Promise<void> {
  let browser: TestBrowser | undefined;
  if (!noBrowser) {
    Deno.test.beforeAll(async () => {
      browser = await startBrowser();
    });
    Deno.test.afterAll(() => browser?.close());
  }
  return async (url, use, options) => {
    const watched = await browser!.open(url, options);
    try {
      await use(watched);
      assert.deepEqual(watched.faults, []);
    } finally {
      if (options?.besides) await watched.page.close();
      else await watched.page.context().close();
    }
  };
}

/** `all`: every rule; `colours`: those alone whose answer hangs on the colours. */
export type AxeRules = "all" | "colours";
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/**
 * Fails for what axe-core finds that keeps people with a disability from using the page. It is told
 * to the page once: to bring it along each time, and to have a page of its own put the findings
 * together as `@axe-core/playwright` does, takes many times as long as to look.
 */
export async function assertAccessible(
  page: Page,
  what: string,
  rules: AxeRules = "all",
): Promise<void> {
  if (!await page.evaluate<boolean>("'axe' in globalThis")) await page.evaluate(axe.source);
  const runOnly = rules === "all" ? {} : { runOnly: { type: "rule", values: OF_COLOURS } };
  const options = JSON.stringify({ resultTypes: ["violations"], ...runOnly });
  const found = await page.evaluate<string[]>(`axe.run(document, ${options}).then((results) =>
    results.violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) =>
      [id, help, String(target), failureSummary].join(": "))))`);
  assert.deepEqual(found, [], what);
}

/** Fills in the log-in that the page shows, and waits until it has let somebody in. */
export async function logIn(
  page: Page,
  { username, password }: { username: string; password: string },
): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("navigation").waitFor();
}
