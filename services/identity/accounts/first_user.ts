/**
 * The first administrator: made on an empty server, and again on one that nobody can administer.
 * @module
 */
import { hostname } from "node:os";
import { recordOperatorChanges } from "../../../shared/storage/audit.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { administrators, lockAdministrators } from "../store/administrator.ts";
import { hashPassword } from "./passwords.ts";
import { ensureOrganization } from "../store/organization.ts";
import { defaultRoleId } from "../store/role.ts";
import { insertUser, usernameExists } from "../store/user.ts";

export interface FirstUserOptions {
  /** With a number behind it when somebody else has it. */
  username: string;
  /** Generated when absent. */
  password: string | undefined;
  /**
   * Where the user name is written as JSON with the generated password, readable by the owner only;
   * else that is printed. Whoever has shown it removes the file.
   */
  file: string | undefined;
}

/**
 * Makes an administrator in the organization `root`, which is made too if it is not there, unless
 * somebody can administer the hub already.
 */
export async function ensureFirstUser(
  db: Db,
  { username: wanted, password, file }: FirstUserOptions,
  log: Logger,
): Promise<void> {
  if ((await administrators(db)).length > 0) return;
  const chosen = password ?? generatePassword();
  const password_hash = await hashPassword(chosen);
  const username = await db.begin(async (tx) => {
    await lockAdministrators(tx);
    if ((await administrators(tx)).length > 0) return undefined; // another replica was faster
    const organization = await ensureOrganization(tx, {
      name: "root",
      domain: "",
      address1: "",
      address2: null,
      zipcode: "",
      country: "",
      public_key: "",
    });
    const username = await freeUsername(tx, wanted);
    const user = await insertUser(tx, {
      username,
      password_hash,
      firstname: null,
      lastname: null,
      email: null,
      organization_id: organization.id,
    }, { roles: [await defaultRoleId(tx, "Root")], rules: [] });
    const starter = { name: "identity, as it started", uid: Deno.uid() ?? 0, host: hostname() };
    const data = { user_id: user.id, organization_id: organization.id };
    await recordOperatorChanges(tx, starter, [{ name: "user.changed", data }]);
    // Before the commit: a password that was lost would be one that nobody ever knew.
    if (file) {
      const told = { username, ...(password === undefined ? { password: chosen } : {}) };
      await Deno.writeTextFile(file, JSON.stringify(told) + "\n", { mode: 0o600 });
    }
    return username;
  });
  if (username === undefined) return;
  log.info("An administrator was made, as there was none", { username });
  if (password === undefined && !file) {
    // Printed once and stored nowhere in clear: whoever starts the server must see it.
    console.log(`Administrator: user name "${username}", password "${chosen}". Change it.`);
  }
}

/** Somebody who has the name, but not the rights, is not given them in passing. */
async function freeUsername(tx: Tx, wanted: string): Promise<string> {
  let name = wanted;
  for (let number = 2; await usernameExists(tx, name); number++) name = `${wanted}-${number}`;
  return name;
}

/** 24 random characters with one of each kind that the password policy asks for. */
function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return `Sx1-${bytes.toBase64({ alphabet: "base64url" })}`;
}
