/**
 * The administrator whom identity makes at a start where there is none, on an empty hub or one that
 * nobody can administer: whoever starts the hub is told the password, and then no file has it.
 * @module
 */
import { FILES } from "./names.ts";
import { join } from "node:path";

export interface NewAdministrator {
  username: string;
  /** `undefined` when the operator has chosen it, in SEXTANT_ADMIN_PASSWORD. */
  password: string | undefined;
  /** Once the password was shown: removes the file in which identity left it. */
  shown(): Promise<void>;
}

/** Where versions before this one kept the password for ever. */
const KEPT_BEFORE = "admin_password";

/**
 * What identity has left in its folder for whoever starts the hub; `undefined` when nothing is to
 * be shown.
 */
export async function readNewAdministrator(folder: string): Promise<NewAdministrator | undefined> {
  const path = join(folder, FILES.newAdministrator);
  const text = await readIfThere(path);
  if (text !== undefined) {
    const { username, password } = JSON.parse(text);
    if (typeof username !== "string" || !/^(string|undefined)$/.test(typeof password)) {
      throw new Error(`Cannot read ${path}: it names no administrator`);
    }
    return { username, password, shown: () => Deno.remove(path) };
  }
  const before = join(folder, KEPT_BEFORE);
  const password = await readIfThere(before);
  if (password === undefined) return undefined;
  const username = await readIfThere(join(folder, "admin_username")) ?? "admin";
  return { username, password, shown: () => Deno.remove(before) };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
