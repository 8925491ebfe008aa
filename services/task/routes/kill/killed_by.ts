import type { Principal } from "../../../../shared/contract/permissions.ts";

/** How results end that this user kills. */
export function killedBy(principal: Principal): { status: "killed by user"; reason: string } {
  const { id } = principal;
  const who = principal.kind === "user" ? `${principal.username} (id ${id})` : id;
  return { status: "killed by user", reason: `Killed by user ${who}.` };
}
