import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { migrate, openDatabase } from "../../../shared/storage/db.ts";
import { temporaryFolder, useTestPostgres } from "../../../tests/harness.ts";
import { findLogin } from "./account.ts";
import { settleSharedAddresses } from "./email.ts";

const postgres = useTestPostgres();
const SCHEMA = new URL("../schema/", import.meta.url);

/** A database of the release before addresses were compared without regard to case. */
async function databaseOfBefore() {
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  const folder = await temporaryFolder();
  for await (const { name } of Deno.readDir(SCHEMA)) {
    if (name < "026") await Deno.copyFile(new URL(name, SCHEMA), `${folder.path}/${name}`);
  }
  await migrate(db, pathToFileURL(`${folder.path}/`), log);
  await folder.remove();
  await db`insert into organization (name) values ('o')`;
  return db;
}

Deno.test("users who share an address but for capitals are told apart after the migration, and told of", async () => {
  const db = await databaseOfBefore();
  const insert = async (username: string, email: string | null) => {
    const values = { username, email, password_hash: "", organization_id: 1 };
    await db`insert into "user" ${db(values)}`;
  };
  await insert("ann", "Ann@X.example");
  await insert("ann2", "ANN@x.example");
  await insert("bob", "Bob@X.example");
  await insert("bob2", "bob@x.example");
  await insert("cleo", "Cleo@X.example");
  await insert("none", null);
  await migrate(db, SCHEMA, log);
  const named = async (email: string) => (await findLogin(db, { email })).login?.username;
  // Everybody by their own spelling, as before.
  assert.equal(await named("Ann@X.example"), "ann");
  assert.equal(await named("ANN@x.example"), "ann2");
  assert.equal(await named("Bob@X.example"), "bob");
  assert.equal(await named("bob@x.example"), "bob2");
  // One of them by any other.
  assert.equal(await named("ann@X.EXAMPLE"), "ann");
  assert.equal(await named("BOB@x.example"), "bob2");
  assert.equal(await named("cleo@x.example"), "cleo");
  assert.deepEqual(await settleSharedAddresses(db), [
    { username: "ann2", email: "ANN@x.example" },
    { username: "bob", email: "Bob@X.example" },
  ]);
  // No third one, however it is written.
  await assert.rejects(insert("ann3", "aNN@x.example"), /user_email_unique/);
  await assert.rejects(db`update "user" set email = 'CLEO@x.example' where username = 'bob'`);
  // What else is changed of them leaves it as it is.
  await db`update "user" set firstname = 'B', email = 'Bob@X.example' where username = 'bob'`;
  await db`update "user" set email = 'robert@x.example' where username = 'bob2'`;
  await db`delete from "user" where username = 'ann'`;
  assert.deepEqual(await settleSharedAddresses(db), []);
  assert.equal(await named("BOB@x.example"), "bob");
  assert.equal(await named("ann@x.example"), "ann2");
  await db.end();
});
