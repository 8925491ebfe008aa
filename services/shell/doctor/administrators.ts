import { administrators } from "../../identity/operator.ts";
import type { Shell } from "../shell.ts";
import { type Finding, ok, wrong } from "./finding.ts";

const check = "administrators";

/** Whether anybody can give rights to others. */
export async function checkAdministrators({ databases }: Shell): Promise<Finding[]> {
  const found = await administrators(databases.identity);
  const names = found.slice(0, 5).map((one) => one.username).join(", ");
  const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
  return found.length > 0 ? [ok(check, names + more)] : [wrong(
    check,
    "nobody can administer the hub",
    `Give somebody the role: const u = await db.User.getByUsername("…"); u.roles = "Root"; ` +
      "await u.save(). Where there is no user at all, identity makes one when it starts.",
  )];
}
