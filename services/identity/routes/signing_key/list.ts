import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { keySet } from "../../../../shared/contract/token.ts";
import type { IdentityDeps } from "../../deps.ts";

/** Outside of `/api`, where RFC 8615 wants it. */
export function listSigningKeys(app: Hono<AppEnv>, { keys }: Pick<IdentityDeps, "keys">): void {
  app.get(
    "/.well-known/jwks.json",
    answers(keySet, { does: "The public keys that verify tokens (RFC 7517)." }),
    async function listSigningKeys(c) {
      return c.json({ keys: await keys.publishedKeys() });
    },
  );
}
