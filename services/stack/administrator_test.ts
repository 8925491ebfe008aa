import { FILES } from "./names.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/harness.ts";
import { readNewAdministrator } from "./administrator.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await work(folder.path);
  } finally {
    await folder.remove();
  }
}

const filesOf = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("the new administrator's password is read until it was shown, and then gone", () =>
  inFolder(async (folder) => {
    assert.equal(await readNewAdministrator(folder), undefined);
    const path = join(folder, FILES.newAdministrator);
    await Deno.writeTextFile(path, `{"username":"admin-2","password":"p"}\n`);
    assert.equal(
      (await readNewAdministrator(folder))!.password,
      "p",
      "a start that was broken off",
    );
    const { username, password, shown } = (await readNewAdministrator(folder))!;
    assert.deepEqual([username, password], ["admin-2", "p"]);
    await shown();
    assert.deepEqual(filesOf(folder), []);
    assert.equal(await readNewAdministrator(folder), undefined);
  }));

Deno.test("the password that earlier versions kept in a file is shown once more, and gone", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "admin_username"), "me");
    await Deno.writeTextFile(join(folder, "admin_password"), "p");
    const { username, password, shown } = (await readNewAdministrator(folder))!;
    assert.deepEqual([username, password], ["me", "p"]);
    await shown();
    assert.deepEqual(filesOf(folder), ["admin_username"]);
  }));
