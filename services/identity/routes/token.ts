import { type Context, Hono } from "hono";
import { z } from "zod";
import { id, nullAsAbsent, text } from "../../../shared/contract.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body } from "../../../shared/http.ts";
import { type Claims, signToken, verifyToken } from "../../../shared/tokens.ts";
import { sha256Hex } from "../../../shared/digest.ts";
import type { IdentityDeps } from "../app.ts";
import { verifyPassword } from "../passwords.ts";
import { failuresAfter, isLocked } from "../rules.ts";
import {
  insertRefreshToken,
  loginByUsername,
  recordLogin,
  refreshTokenExists,
  roleNamesOfUser,
  userById,
} from "../store.ts";

const credential = text.pipe(z.string().min(1).max(128));

const userLogin = z.object({
  username: credential,
  password: credential,
  mfa_code: nullAsAbsent(
    z.union([z.string().max(10), z.number().int().transform(String)]),
  ),
});

const nodeLogin = z.object({ api_key: z.uuid("must be a UUID") });
const containerRequest = z.object({ task_id: id, image: text.pipe(z.string().min(1)) });
const brokerRequest = z.object({
  public_key: z.string().regex(/^U[A-Z2-7]{55}$/, "must be the public part of a user nkey"),
});

interface Client {
  type: "user" | "node";
  id: number;
}

export function tokenRoutes(deps: IdentityDeps): Hono<AppEnv> {
  const { db, keys, broker, ask, now } = deps;
  const routes = new Hono<AppEnv>();

  /** The answer to every log-in and refresh (contract §2.1). */
  async function tokenPair({ type, id: clientId }: Client) {
    const at = now();
    const jti = crypto.randomUUID();
    const roles = type === "user" ? await roleNamesOfUser(db, clientId) : [];
    await insertRefreshToken(db, {
      jti,
      client_type: type,
      client_id: clientId,
      expires_at: new Date(at.getTime() + deps.refreshSeconds * 1000),
    });
    const [access_token, refresh_token] = await Promise.all([
      signToken(keys.current(), {
        jti: crypto.randomUUID(),
        type: "access",
        client_type: type,
        sub: clientId,
        roles,
        lifetimeSeconds: deps.accessSeconds,
      }, at),
      signToken(keys.current(), {
        jti,
        type: "refresh",
        client_type: type,
        sub: clientId,
        lifetimeSeconds: deps.refreshSeconds,
      }, at),
    ]);
    return {
      access_token,
      refresh_token,
      refresh_url: "/api/token/refresh",
      [`${type}_url`]: `/api/${type}/${clientId}`,
    };
  }

  routes.post("/token/user", body(userLogin), async function loginUser(c) {
    const given = c.req.valid("json");
    const user = await loginByUsername(db, given.username);
    const at = now();
    const fits = await verifyPassword(user?.password_hash, given.password);
    const locked = user !== undefined && isLocked(user, at);
    if (!user || !fits || locked) {
      if (user && !locked) await recordLogin(db, user.id, { failures: failuresAfter(user), at });
      // One sentence for an unknown name, a wrong password and a locked account: nobody learns which.
      throw new SextantError(
        "unauthenticated",
        "The user name or the password is wrong, or the account is locked for a while.",
      );
    }
    await recordLogin(db, user.id, { failures: 0, at });
    const tokens = await tokenPair({ type: "user", id: user.id });
    c.header("jwt-token", tokens.access_token);
    return c.json(tokens);
  });

  routes.post("/token/node", body(nodeLogin), async function loginNode(c) {
    const sha256 = await sha256Hex(c.req.valid("json").api_key.toLowerCase());
    const node = await ask("collaboration", "node_by_key", { sha256 });
    if (!node) throw new SextantError("unauthenticated", "No node has this API key.");
    return c.json(await tokenPair({ type: "node", id: node.id }));
  });

  routes.post("/token/refresh", async function refresh(c) {
    const claims = await refreshClaims(c);
    if (!await refreshTokenExists(db, claims.jti)) {
      throw new SextantError("unauthenticated", "The refresh token was revoked; log in again.");
    }
    const client: Client = {
      type: claims.client_type as "user" | "node",
      id: claims.sub as number,
    };
    const exists = client.type === "user"
      ? await userById(db, client.id)
      : await ask("collaboration", "node", { id: client.id });
    if (!exists) {
      throw new SextantError("unauthenticated", `The ${client.type} does not exist any more.`);
    }
    return c.json(await tokenPair(client));
  });

  async function refreshClaims(c: Context): Promise<Claims> {
    const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!token) {
      throw new SextantError("unauthenticated", "Send the refresh token as a bearer token.");
    }
    return await verifyToken(token, keys.publicKey, { type: "refresh", now: now() });
  }

  routes.post(
    "/token/container",
    allow("node"),
    body(containerRequest),
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
      return c.json({ container_token });
    },
  );

  // Beyond the field's API: a node's right to speak on the broker, bound to a key pair that only the node has.
  routes.post(
    "/token/broker",
    allow("node"),
    body(brokerRequest),
    async function brokerCredential(c) {
      const principal = c.get("principal");
      const { public_key } = c.req.valid("json");
      return c.json(await broker.nodeCredential(principal.id, public_key));
    },
  );

  return routes;
}
