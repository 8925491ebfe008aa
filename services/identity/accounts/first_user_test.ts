import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder, useTestPostgres } from "../../../tests/harness.ts";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { type Db, migrate, openDatabase } from "../../../shared/storage/db.ts";
import { administrators } from "../store/administrator.ts";
import { seedCatalogue } from "../store/catalogue.ts";
import { ensureFirstUser } from "./first_user.ts";
import { verifyPassword } from "./passwords.ts";

const postgres = useTestPostgres();

async function withIdentity(work: (db: Db, file: string) => Promise<void>): Promise<void> {
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  const folder = await temporaryFolder();
  try {
    await migrate(db, new URL("../schema/", import.meta.url), log);
    await seedCatalogue(db);
    await work(db, join(folder.path, "administrator.json"));
  } finally {
    await db.end();
    await folder.remove();
  }
}

async function readFile(file: string): Promise<{ username: string; password?: string }> {
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  return JSON.parse(await Deno.readTextFile(file));
}

async function fits(db: Db, { username, password }: { username: string; password?: string }) {
  const [row] = await db<{ password_hash: string }[]>`
    select password_hash from "user" where username = ${username}`;
  return await verifyPassword(row!.password_hash, password!, { bcryptInUse: false });
}

Deno.test("ensureFirstUser() makes an administrator once, whose password is in the file", () =>
  withIdentity(async (db, file) => {
    const options = { username: "admin", password: undefined, file };
    await Promise.all([ensureFirstUser(db, options, log), ensureFirstUser(db, options, log)]);
    assert.deepEqual((await administrators(db)).map(({ username }) => username), ["admin"]);
    assert.ok(await fits(db, await readFile(file)));
    await Deno.remove(file);
    await ensureFirstUser(db, options, log);
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
  }));

Deno.test("ensureFirstUser() makes one again when nobody can administer, and gives nobody else rights", () =>
  withIdentity(async (db, file) => {
    const options = { username: "admin", password: undefined, file };
    await ensureFirstUser(db, options, log);
    await db`delete from user_role`; // the organization "root" and the user "admin" are still there
    await ensureFirstUser(db, options, log);
    const told = await readFile(file);
    assert.equal(told.username, "admin-2");
    assert.ok(await fits(db, told));
    const [second] = await administrators(db);
    assert.deepEqual([second!.username, second!.organization_id], ["admin-2", 1]);

    await db`delete from "user"`;
    await db`update organization set name = 'other'`;
    await ensureFirstUser(db, { username: "admin", password: "Chosen-secret-1", file }, log);
    assert.deepEqual(await readFile(file), { username: "admin" });
    const [third] = await administrators(db);
    assert.ok(await fits(db, { ...third!, password: "Chosen-secret-1" }));
    const records = await db`select from audit where what = 'user.changed'`;
    assert.equal(records.length, 3);
  }));

Deno.test("CVE-2026-54445: no account comes with a password that somebody could know", async () => {
  const passwords = new Set<string>();
  for (let hubs = 0; hubs < 2; hubs++) {
    await withIdentity(async (db, file) => {
      await ensureFirstUser(db, { username: "root", password: undefined, file }, log);
      const told = await readFile(file);
      passwords.add(told.password!);
      for (const password of ["root", "admin", "password", "vantage6", ""]) {
        assert.ok(!await fits(db, { ...told, password }), password);
      }
      const users = await db`select from "user"`;
      assert.equal(users.length, 1);
    });
  }
  assert.equal(passwords.size, 2);
  for (const password of passwords) assert.ok(password.length >= 20, "120 bits and more");
});
