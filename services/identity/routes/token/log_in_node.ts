import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { nodeTokens } from "../../../../shared/contract/token.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { nodeLogInRequest } from "../../../../shared/node_protocol/log_in.ts";
import { sha256Hex } from "../../../../shared/service/digest.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { recordDone } from "../../../../shared/storage/audit.ts";
import type { IdentityDeps } from "../../deps.ts";

export function logInNode(app: Hono<AppEnv>, { db, ask, sessions }: IdentityDeps): void {
  app.post(
    "/token/node",
    body(nodeLogInRequest),
    answers(nodeTokens, { does: "Log-in with the API key that was shown when the node was made." }),
    async function logInNode(c) {
      const { api_key, payload_formats = [] } = c.req.valid("json");
      const sha256 = await sha256Hex(api_key.toLowerCase());
      const node = await ask("collaboration", "node_by_key", { sha256 });
      if (!node) throw new SextantError("unauthenticated", "No node has this API key.");
      await ask("collaboration", "node_logged_in", { id: node.id, payload_formats });
      const tokens = await sessions.begin(db, { type: "node", id: node.id }, {
        // Of the key that was shown: should it be replaced at this moment, these are not good.
        keyGeneration: node.key_generation,
        address: c.env.address,
      });
      await recordDone(db, "node.login", { noun: "node", id: node.id });
      return c.json(tokens);
    },
  );
}
