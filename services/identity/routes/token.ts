import { type Context, Hono } from "hono";
import { z } from "zod";
import { recordDone } from "../../../shared/storage/audit.ts";
import { nullAsAbsent, text } from "../../../shared/contract/fields.ts";
import {
  type ContainerTokenAnswer,
  containerTokenRequest,
} from "../../../shared/node_protocol/container_grant.ts";
import { brokerCredentialRequest, nodeLogInRequest } from "../../../shared/node_protocol/log_in.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found } from "../../../shared/contract/validate.ts";
import { signToken } from "../../../shared/contract/tokens.ts";
import { loginRefused } from "../accounts/accounts.ts";
import type { IdentityDeps } from "../deps.ts";
import { userById } from "../store/user.ts";

export const credential = text.pipe(z.string().min(1).max(128));

const userLogin = z.object({
  username: credential,
  password: credential,
  mfa_code: nullAsAbsent(
    z.union([z.string().max(10), z.number().int().min(0).max(999_999).transform(String)]),
  ),
});

export function tokenRoutes(
  { db, keys, broker, ask, now, accounts, sessions }: IdentityDeps,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.post("/token/user", body(userLogin), async function loginUser(c) {
    const { username, password, mfa_code } = c.req.valid("json");
    const user = await accounts.checkPassword({ username }, password);
    if (!user) throw loginRefused();
    const factor = await accounts.secondFactor(user, mfa_code);
    if (factor !== "passed") return c.json(factor);
    const tokens = await db.begin(async (tx) => {
      await accounts.letIn(tx, user);
      return await sessions.begin(tx, { type: "user", id: user.id });
    });
    await recordDone(db, "user.login", { noun: "user", id: user.id });
    c.header("jwt-token", tokens.access_token);
    return c.json(tokens);
  });

  // For algorithm stores that were handed a token of ours.
  routes.post("/token/user/validate", allow(["user"]), async function validateUser(c) {
    const user = found(await userById(db, c.get("principal").id), "user", c.get("principal").id);
    return c.json({
      msg: "The token is valid.",
      user_id: user.id,
      username: user.username,
      email: user.email,
      organization_id: user.organization_id,
    });
  });

  routes.post("/token/node", body(nodeLogInRequest), async function loginNode(c) {
    const { api_key, payload_formats = [] } = c.req.valid("json");
    const sha256 = await sha256Hex(api_key.toLowerCase());
    const node = await ask("collaboration", "node_by_key", { sha256 });
    if (!node) throw new SextantError("unauthenticated", "No node has this API key.");
    await ask("collaboration", "node_logged_in", { id: node.id, payload_formats });
    const tokens = await sessions.begin(db, { type: "node", id: node.id });
    await recordDone(db, "node.login", { noun: "node", id: node.id });
    return c.json(tokens);
  });

  function bearer(c: Context): string {
    const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (token) return token;
    throw new SextantError("unauthenticated", "Send the token as a bearer token.");
  }

  routes.post("/token/refresh", async function refresh(c) {
    return c.json(await sessions.refresh(bearer(c)));
  });

  // Beyond the field's API: logging out.
  routes.delete("/token/refresh", async function logOut(c) {
    const { type, id } = await sessions.end(bearer(c));
    await recordDone(db, `${type}.logout`, { noun: type, id });
    return c.json({ msg: "The refresh token and all of the same log-in are revoked." });
  });

  routes.post(
    "/token/container",
    allow(["node"]),
    body(containerTokenRequest),
    async function containerToken(c) {
      const principal = c.get("principal");
      if (principal.kind !== "node") throw new TypeError("allow() lets nodes pass only");
      const { task_id, image } = c.req.valid("json");
      const node = {
        node_id: principal.id,
        organization_id: principal.organization_id,
        collaboration_id: principal.collaboration_id,
      };
      const task = await ask("task", "container", { task_id, image, ...node });
      const container_token = await signToken(keys.current(), {
        jti: crypto.randomUUID(),
        type: "access",
        client_type: "container",
        sub: { client_type: "container", ...node, ...task, task_id, image },
      }, now());
      return c.json({ container_token } satisfies ContainerTokenAnswer);
    },
  );

  // Beyond the field's API: a node's right to speak on the broker, bound to a key pair that only the node has.
  routes.post(
    "/token/broker",
    allow(["node"]),
    body(brokerCredentialRequest),
    async function brokerCredential(c) {
      const principal = c.get("principal");
      const { public_key } = c.req.valid("json");
      const credential = await broker.nodeCredential(principal.id, public_key);
      // Looked at last: a node that is shut out from here on has this credential revoked with its others, and one that was shut
      // out while this request was on its way does not get it.
      await sessions.demandCurrent(bearer(c));
      return c.json(credential);
    },
  );

  return routes;
}
