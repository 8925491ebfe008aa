import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/harness.ts";
import { closedFolder, databaseFolder, usualDataFolder } from "./account.ts";

const ACCOUNT = { uid: 65534, gid: 65534 };
/** Only root lends another account. */
const ignore = Deno.uid() !== 0;

async function inFolder(work: (folder: string) => void): Promise<void> {
  const folder = await temporaryFolder();
  try {
    work(folder.path);
  } finally {
    await folder.remove();
  }
}

/** A data folder as earlier versions left it: its database is elsewhere, behind a link. */
function linkedDeployment(folder: string): { data: string; database: string } {
  const [data, database] = [join(folder, "data"), join(folder, "elsewhere")];
  Deno.mkdirSync(data);
  Deno.mkdirSync(database);
  Deno.writeTextFileSync(join(database, "PG_VERSION"), "17");
  Deno.symlinkSync(database, join(data, "postgres"));
  return { data, database };
}

Deno.test("databaseFolder() is in the data folder, or says what to do", () =>
  inFolder((folder) => {
    Deno.chmodSync(folder, 0o755);
    const path = join(folder, "closed", "data", "postgres");
    assert.equal(databaseFolder(path, ACCOUNT), path);
    Deno.mkdirSync(join(folder, "closed"), { mode: 0o700 });
    assert.equal(closedFolder(ACCOUNT, path), join(folder, "closed"));
    assert.throws(() => databaseFolder(path, ACCOUNT), /may not enter .*closed\. Name .* --data/);
    assert.equal(databaseFolder(path, undefined), path);
  }));

Deno.test("databaseFolder() follows an old link for the folder it was made for, moved too, and for no copy", () =>
  inFolder((folder) => {
    const { data, database } = linkedDeployment(folder);
    assert.equal(databaseFolder(join(data, "postgres"), ACCOUNT), database);
    const copy = join(folder, "copy");
    Deno.mkdirSync(copy);
    Deno.symlinkSync(database, join(copy, "postgres"));
    assert.throws(
      () => databaseFolder(join(copy, "postgres"), ACCOUNT),
      /is a copy of a data folder.*Two hubs must not share one/,
    );
    Deno.renameSync(data, join(folder, "moved"));
    assert.equal(databaseFolder(join(folder, "moved", "postgres"), ACCOUNT), database);
    Deno.removeSync(join(database, "PG_VERSION"));
    assert.throws(
      () => databaseFolder(join(folder, "moved", "postgres"), ACCOUNT),
      /is not there\. Restore it from a backup, or remove the link/,
    );
  }));

Deno.test({
  name: "usualDataFolder() is elsewhere as a whole where PostgreSQL's account could not reach it",
  ignore,
  fn: () =>
    inFolder((folder) => {
      Deno.chmodSync(folder, 0o755);
      const root = join(folder, "lib");
      const open = join(folder, "open", ".sextant");
      assert.equal(usualDataFolder(open, root), open);
      Deno.mkdirSync(join(folder, "home"), { mode: 0o700 });
      const path = join(folder, "home", "checkout", ".sextant");
      const made = usualDataFolder(path, root);
      assert.ok(made.startsWith(root));
      assert.equal(Deno.readLinkSync(path), made);
      assert.equal(usualDataFolder(path, root), Deno.realPathSync(made), "the next time, too");
      Deno.removeSync(made);
      assert.throws(() => usualDataFolder(path, root), /which is not there\. Restore/);
    }),
});
