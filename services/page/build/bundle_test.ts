import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/support/folders.ts";
import { openPageFolder } from "./page_folder.ts";
import { bundlePage } from "./bundle.ts";
import { setUpKeptPage } from "./kept_page.ts";
import { HUB_PAGE, setUpPage, writePage } from "./write_page.ts";

Deno.test("bundlePage() makes the same bytes of the same sources, and names nothing from elsewhere", async () => {
  const [one, other] = [await bundlePage(HUB_PAGE), await bundlePage(HUB_PAGE)];
  assert.deepEqual(one, other);
  assert.doesNotMatch(one.document, /https?:|<script>|style=/);
  for (const { name, content } of one.assets) {
    assert.match(name, /^[a-z]+-[A-Z0-9]{8}\.(js|css)$/);
    const text = new TextDecoder().decode(content);
    assert.doesNotMatch(text, /\beval\(|new Function\(/, name);
    assert.doesNotMatch(text, /@import|url\(http/, name);
  }
});

Deno.test("bundlePage() says which line does not compile", async () => {
  const folder = await temporaryFolder();
  try {
    const entry = new URL(`file://${folder.path}/page.tsx`);
    const styles = new URL(`file://${folder.path}/style.css`);
    await Deno.writeTextFile(entry, "export const x = ;\n");
    await Deno.writeTextFile(styles, "");
    await assert.rejects(
      bundlePage({ entry, styles, title: "It", noScript: "" }),
      /page\.tsx:1:17/,
    );
  } finally {
    await folder.remove();
  }
});

Deno.test("setUpKeptPage() puts the page together once for the same sources, and leaves nothing of an earlier version", async () => {
  const folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  try {
    for (const to of ["one", "other"]) {
      await writePage(at(to), {
        document: "old",
        assets: [{ name: "page-OLD.js", type: "text/javascript", content: new Uint8Array(1) }],
      });
      await setUpKeptPage(at(to), at("kept"));
    }
    const [kept, ...others] = [...Deno.readDirSync(at("kept"))].map(({ name }) => name);
    assert.deepEqual(others, []);
    await setUpPage(HUB_PAGE, at("made"));
    for (const to of [join("kept", kept!), "one", "other"]) {
      assert.deepEqual(contentOf(at(to)), contentOf(at("made")), to);
    }
    // What is kept is taken as it is.
    await Deno.writeTextFile(join(at("kept"), kept!, "page.json"), "kept");
    await setUpKeptPage(at("one"), at("kept"));
    assert.equal(await Deno.readTextFile(join(at("one"), "page.json")), "kept");
  } finally {
    await folder.remove();
  }
});

/** Every file below a folder of a page. */
function contentOf(folder: string): Record<string, Uint8Array> {
  const names = [...Deno.readDirSync(join(folder, "assets"))].map(({ name }) => `assets/${name}`);
  return Object.fromEntries(
    ["page.json", ...names.sort()].map((name) => [name, Deno.readFileSync(join(folder, name))]),
  );
}

Deno.test("setUpPage() leaves nothing of an earlier version, and what it writes is served", async () => {
  const folder = await temporaryFolder();
  try {
    const text = new TextEncoder().encode("old");
    const assets = [{ name: "page-OLD.js", type: "text/javascript", content: text }];
    await writePage(folder.path, { document: "old", assets });
    const page = openPageFolder(folder.path);
    assert.deepEqual((await page.asset("page-OLD.js", "gzip, br;q=0.9"))?.encoding, "br");
    assert.deepEqual((await page.asset("page-OLD.js", ""))?.content, text);
    await setUpPage(HUB_PAGE, folder.path);
    assert.equal(await page.asset("page-OLD.js", "br"), undefined);
    const [script] = /page-[A-Z0-9]+\.js/.exec(await page.document())!;
    assert.equal((await page.asset(script, "gzip"))?.type, "text/javascript; charset=utf-8");
    assert.equal(await page.asset("../page.json", ""), undefined);
  } finally {
    await folder.remove();
  }
});
