import * as identity from "../identity/operator.ts";
import type { Shell } from "./shell.ts";

/**
 * `db.withdrawSigningKeys()`: what was signed with the keys that sign tokens is not good any more,
 * so that every log-in ends. For when somebody may have read one of them. A replaced database
 * backup holds them, too.
 */
export async function withdrawSigningKeys(shell: Shell): Promise<string> {
  const kids = await shell.change("identity", identity.withdrawSigningKeys);
  return `${kids.length} withdrawn: ${
    kids.join(", ")
  }. Everybody has to log in again; nodes do so ` +
    "by themselves, containers that run now cannot make subtasks any more.";
}
