import type { Principal } from "../../../../shared/contract/permissions.ts";

/** Of a route that `allow()` lets users pass to only. */
export function requireUser(principal: Principal): Extract<Principal, { kind: "user" }> {
  if (principal.kind !== "user") throw new TypeError("allow() lets users pass only");
  return principal;
}
