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
      const credential = await broker.nodeCredential(c.get("principal").id, public_key);
      // Looked at last: a node that is shut out from here on has this credential revoked with its
      // others, and one that was shut out while this request was on its way does not get it.
      await sessions.demandCurrent(requireBearer(c));
      return c.json(credential);
    },
  );
}
