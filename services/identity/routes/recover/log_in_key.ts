import type { LoginKey } from "../../store/account.ts";

/** By what the user is found who has lost something: the name, when both are given. */
export function logInKeyOf(
  { username, email }: { username?: string | undefined; email?: string | undefined },
): LoginKey {
  return username === undefined ? { email: email! } : { username };
}
