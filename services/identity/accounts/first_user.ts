/**
 * The first administrator, made once on an empty server.
 * @module
 */
import type { Db } from "../../../shared/storage/db.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { hashPassword } from "./passwords.ts";
import { insertOrganization } from "../store/organization.ts";
import { defaultRoleId } from "../store/role.ts";
import { anyUserExists, insertUser } from "../store/user.ts";

export interface FirstUserOptions {
  username: string;
  /** Generated when absent. */
  password: string | undefined;
  /**
   * Where a generated password is written, once, readable by the owner only; else it is printed.
   */
  file: string | undefined;
}

/** Creates the organization `root` and its administrator unless there are users already. */
export async function ensureFirstUser(
  db: Db,
  { username, password, file }: FirstUserOptions,
  log: Logger,
): Promise<void> {
  if (await anyUserExists(db)) return;
  const chosen = password ?? generatePassword();
  const password_hash = await hashPassword(chosen);
  const created = await db.begin(async (tx) => {
    await tx`lock table "user" in exclusive mode`;
    if (await anyUserExists(tx)) return false; // another replica was faster
    const organization = await insertOrganization(tx, {
      name: "root",
      domain: "",
      address1: "",
      address2: null,
      zipcode: "",
      country: "",
      public_key: "",
    });
    await insertUser(tx, {
      username,
      password_hash,
      firstname: null,
      lastname: null,
      email: null,
      organization_id: organization.id,
    }, { roles: [await defaultRoleId(tx, "Root")], rules: [] });
    return true;
  });
  if (!created) return;
  if (password !== undefined) {
    log.info("First administrator created", { username });
  } else if (file) {
    await Deno.writeTextFile(file, JSON.stringify({ username, password: chosen }) + "\n", {
      mode: 0o600,
    });
    log.info("First administrator created; the password is in a file of its own", {
      username,
      file,
    });
  } else {
    // Printed once and stored nowhere in clear: whoever starts the server must see it.
    console.log(`First administrator: user name "${username}", password "${chosen}". Change it.`);
  }
}

/** 24 random characters with one of each kind that the password policy asks for. */
function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return `Sx1-${bytes.toBase64({ alphabet: "base64url" })}`;
}
