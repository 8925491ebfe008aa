import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { heldFolder, writeDecision } from "../disclosure/held_files.ts";
import { askToClear, ledgerFolder } from "../disclosure/ledger/files.ts";
import { makeLink, openLinks } from "../page/links.ts";
import { replaceFile } from "./data_folder.ts";

/** Somebody who is not root. */
const AGENT = { uid: 12345, gid: 12346 };

async function ownersBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const { uid, gid } = await Deno.lstat(path);
    found.push(`${uid}:${gid}`);
    if (isDirectory) found.push(...await ownersBelow(path));
  }
  return found;
}

Deno.test({
  name: "what a command that root runs writes into an agent's folder is the agent's",
  // Nobody else can give files away.
  ignore: Deno.uid() !== 0,
  async fn() {
    const { path: folder, remove } = await temporaryFolder();
    try {
      await openLinks(folder);
      await Deno.mkdir(heldFolder(folder));
      const given = [folder, heldFolder(folder), join(folder, "page"), join(folder, "page/links")];
      for (const path of given) await Deno.chown(path, AGENT.uid, AGENT.gid);
      const [by, at] = ["root", new Date().toISOString()];
      const attempt = { result_id: 1, attempt: 1 };
      await writeDecision(heldFolder(folder), attempt, { is: "release", reason: "fine", by, at });
      await askToClear(ledgerFolder(folder), { database: null, reason: "new year", by, at });
      await makeLink(folder);
      await replaceFile(join(folder, "kept.json"), "{}");
      const owners = await ownersBelow(folder);
      assert.ok(owners.length >= 8, `${owners}`);
      assert.deepEqual([...new Set(owners)], [`${AGENT.uid}:${AGENT.gid}`]);
    } finally {
      await remove();
    }
  },
});
