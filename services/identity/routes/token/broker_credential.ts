import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { body } from "../../../../shared/contract/validate.ts";
import {
  brokerCredentialRequest,
  brokerCredentialSchema,
} from "../../../../shared/node_protocol/log_in.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireBearer } from "./bearer.ts";

/** Beyond v6's API. */
export function giveBrokerCredential(
  app: Hono<AppEnv>,
  { broker, sessions }: IdentityDeps,
): void {
  app.post(
    "/token/broker",
    allow(["node"]),
    body(brokerCredentialRequest),
    answers(brokerCredentialSchema, {
      does: "A node's right to speak on the broker, bound to a key pair that only the node has.",
    }),
    async function giveBrokerCredential(c) {
      const { public_key } = c.req.valid("json");
      const { id } = c.get("principal");
      const { key_generation } = await sessions.demandCurrent(requireBearer(c));
      return c.json(await broker.nodeCredential({ id, key_generation }, public_key));
    },
  );
}
