/**
 * Who works on the machine itself.
 * @module
 */
import { hostname, userInfo } from "node:os";
import type { Operator } from "../storage/audit.ts";

/** The account that runs this program. */
export function thisOperator(): Operator {
  // Behind sudo the account is root's; the person is the one who called it.
  const behind = Deno.env.get("SUDO_USER");
  const { username, uid } = userInfo();
  return { name: behind ?? username, uid, host: hostname() };
}
