import type { Principal } from "../../../../shared/contract/permissions.ts";

/** How results end that this user kills. */
export function killedBy({ id }: Principal): { status: "killed by user"; reason: string } {
  return { status: "killed by user", reason: `Killed by user ${id}.` };
}
