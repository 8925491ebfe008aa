/**
 * Limits attempts to prove who one is: log-in, recovery, change of password
 * and of the second factor. Keeps counts in this
 * process only; what must hold over all replicas is the lock of the account, which identity keeps
 * in the database.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { SextantError } from "../../../shared/service/errors.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { type Bucket, createRateLimiter } from "../../../shared/service/rate_limiter.ts";
import type { AppEnv } from "../../../shared/contract/app.ts";

export interface AttemptLimits {
  /** One user name, API key or token from one address. */
  caller: Bucket;
  /** All from one address, which may be a whole hospital's. */
  address: Bucket;
}

/**
 * Limits for `perMinute` attempts of one caller in the long run. v6's client repeats every failed
 * request once, and several people may sit behind one address: bursts are generous, since the lock
 * of an account stops guesses at it long before.
 */
export function attemptLimits(perMinute: number): AttemptLimits {
  return {
    caller: { perMinute, burst: 4 * perMinute },
    address: { perMinute: 5 * perMinute, burst: 10 * perMinute },
  };
}

/** What counts as an attempt. Refreshing does not: v6's client does that after every error. */
const ATTEMPTS = /^\/api\/(?:token\/(?:user|node)|password\/(?:change|2fa)|recover\/.+)$/;

export interface LimitAttemptsOptions extends AttemptLimits {
  now?: () => number;
}

/**
 * Refuses attempts above the limits (429 with `Retry-After`). A successful log-in does not count.
 */
export function limitAttempts(
  { caller, address, now = Date.now }: LimitAttemptsOptions,
): MiddlewareHandler<AppEnv> {
  const callers = createRateLimiter({ ...caller, now });
  const addresses = createRateLimiter({ ...address, now });
  return async function limitAttempt(c, next) {
    if (!ATTEMPTS.test(c.req.path) || isHarmless(c.req)) return await next();
    const from = network(String(c.env?.address ?? "unknown"));
    const who = `${from} ${await callerOf(c.req.raw)}`;
    // Who is refused on their own account takes nothing away from others at the same address.
    const wait = callers.take(who) || addresses.take(from);
    if (wait > 0) {
      c.header("retry-after", String(wait));
      throw new SextantError(
        "too_many_requests",
        `Too many attempts from here; try again in ${wait} seconds.`,
      );
    }
    await next();
    // Recovery answers the same to everybody: there every request counts.
    if (c.res.status < 300 && !c.req.path.startsWith("/api/recover/")) {
      addresses.giveBack(from);
      callers.giveBack(who);
    }
  };
}

/** Whether nothing is proved by it: what is shown of one's own second factor, for one. */
function isHarmless({ method }: { method: string }): boolean {
  return method === "OPTIONS" || method === "GET";
}

/** Where one has to be logged in already. */
const OF_HOLDERS = /^\/api\/(?:password\/|recover\/node$)/;

/**
 * The name or the secret given in the body, or whose token was sent: whoever tries. Log-in and
 * other recovery read no `Authorization`: there it would be a new caller for each attempt. The body
 * was read before, within its limit (`limitSecrets`).
 */
async function callerOf(request: Request): Promise<string> {
  const isHolder = OF_HOLDERS.test(new URL(request.url).pathname);
  const holder = isHolder ? holderOf(request.headers.get("authorization") ?? "") : "";
  try {
    const { username, email, api_key, reset_token } = JSON.parse(await request.clone().text());
    const name = username ?? email?.toLowerCase();
    if (name !== undefined) return String(name).slice(0, 128);
    // A node, or whoever was sent a mail, has no name: one of them must not use up the attempts of
    // all others at the same address. Guesses at such a secret count for the address.
    const secret = api_key ?? reset_token;
    return typeof secret === "string" ? `secret ${await sha256Hex(secret)}` : holder;
  } catch {
    return holder;
  }
}

/**
 * Who a token says it is of: the same for each token of one user. It may lie: then it is refused
 * later, and the attempt counts for the address.
 */
function holderOf(authorization: string): string {
  try {
    const payload = authorization.split(".")[1]!;
    const { client_type, sub } = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })),
    );
    return `${client_type} ${JSON.stringify(sub)}`.slice(0, 128);
  } catch {
    return "";
  }
}

/** An IPv4 address, or the first half of an IPv6 one: its owner has all of the second half. */
export function network(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [left = "", right] = address.split("::", 2);
  const head = left.split(":").filter(Boolean);
  const tail = right?.split(":").filter(Boolean) ?? [];
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}

/** The address a request came from; that of the client when a trusted proxy in front tells it. */
export function addressOf(
  request: Request,
  { remote, trustProxy }: { remote: string; trustProxy: boolean },
): string {
  if (!trustProxy) return remote;
  // The last one is what our own proxy saw; those before it were sent by the client.
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || remote;
}

/** With which protocol the client came: as a trusted proxy in front tells it. */
export function protocolOf(request: Request, { trustProxy }: { trustProxy: boolean }): string {
  const told = trustProxy ? request.headers.get("x-forwarded-proto")?.split(",").at(-1) : undefined;
  return told === undefined ? new URL(request.url).protocol : `${told.trim()}:`;
}
