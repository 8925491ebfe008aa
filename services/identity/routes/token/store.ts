import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { storeTokenAnswer, storeTokenRequest } from "../../../../shared/contract/token.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { IdentityDeps } from "../../deps.ts";
import { storeToken } from "../../sessions/store_token.ts";

/** Beyond v6's API. */
export function giveStoreToken(app: Hono<AppEnv>, { keys, now }: IdentityDeps): void {
  app.post(
    "/token/store",
    allow(["user", "node"]),
    body(storeTokenRequest),
    answers(storeTokenAnswer, {
      does: "A token to send to an algorithm store instead of one's own: the store can ask with " +
        "it whose it is, and nothing else. Good for two minutes, as long as the log-in goes on.",
    }),
    async function giveStoreToken(c) {
      const principal = c.get("principal");
      if (principal.kind === "container" || principal.session_id === undefined) {
        throw new SextantError("forbidden", "This needs a log-in.");
      }
      const { kind: type, id, session_id: sid } = principal;
      const { url } = c.req.valid("json");
      const options = { client: { type, id }, sid, store_url: url };
      return c.json({ store_token: await storeToken({ keys, now }, options) });
    },
  );
}
