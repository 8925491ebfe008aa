import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { body } from "../../../../shared/contract/validate.ts";
import {
  brokerCredentialRequest,
  brokerCredentialSchema,
} from "../../../../shared/node_protocol/log_in.ts";
import { NODE_PROTOCOL } from "../../../../shared/node_protocol/reports.ts";
import { VERSION } from "../../../../shared/version.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
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
      const { public_key, protocol } = c.req.valid("json");
      demandProtocol(protocol);
      const { id } = c.get("principal");
      const { key_generation } = await sessions.demandCurrent(requireBearer(c));
      return c.json(await broker.nodeCredential({ id, key_generation }, public_key));
    },
  );
}

/** Refuses an agent whose reports nobody would believe. */
function demandProtocol(protocol: number): void {
  if (protocol >= NODE_PROTOCOL) return;
  throw new SextantError(
    "invalid_request",
    "This agent is of a version before the hub's, and signs its reports in a way that is not safe: " +
      `update the agent to version ${VERSION}, and start it again. What it has computed is kept.`,
  );
}
