/**
 * Access, refresh and container tokens: JWTs signed with EdDSA. The only module that knows the JWT
 * library.
 *
 * The claims are v6's (HTTP contract §2.5): `sub` is an integer for users and nodes and an object
 * for containers, because v6's clients decode tokens without verifying them and compare ids as
 * integers.
 * @module
 */
import { CompactSign, compactVerify, exportJWK, generateKeyPair, type JWK } from "jose";
import { z } from "zod";
import { containerGrantSchema } from "../node_protocol/container_grant.ts";
import { SextantError } from "../service/errors.ts";

const ALGORITHM = "EdDSA";

/** A key pair as stored: both halves as JWK, named by `kid`. */
export interface SigningKey {
  kid: string;
  public_jwk: JWK;
  private_jwk: JWK;
}

const containerSubject = containerGrantSchema.extend({ client_type: z.literal("container") });
export type ContainerSubject = z.infer<typeof containerSubject>;

const TYPES = ["access", "refresh", "store"] as const;
/** `store`: for an algorithm store, to show whose it is; good for nothing else. */
export type TokenType = typeof TYPES[number];

const claimsBase = { jti: z.string(), iat: z.number(), nbf: z.number(), type: z.enum(TYPES) };
const clientClaims = z.object({
  ...claimsBase,
  client_type: z.enum(["user", "node"]),
  sub: z.number().int(),
  exp: z.number(),
  /** The session it is of. A token from before there were any is of one that does not exist. */
  sid: z.uuid().catch("00000000-0000-0000-0000-000000000000"),
});
const containerClaims = z.object({
  ...claimsBase,
  client_type: z.literal("container"),
  sub: containerSubject,
  /** What it was given for, with which it ends; and by which of its keys the node had it. */
  result_id: z.number().int().catch(0),
  attempt: z.number().int().catch(0),
  key_generation: z.number().int().catch(0),
});
const claimsSchema = z.union([clientClaims, containerClaims]);
export type Claims = z.infer<typeof claimsSchema>;
/** Of a user or a node. */
export type ClientClaims = z.infer<typeof clientClaims>;
export type ContainerClaims = z.infer<typeof containerClaims>;

export function isOfClient(claims: Claims): claims is ClientClaims {
  return claims.client_type !== "container";
}

export async function newSigningKey(kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, {
    crv: "Ed25519",
    extractable: true,
  });
  return { kid, public_jwk: await exportJWK(publicKey), private_jwk: await exportJWK(privateKey) };
}

export type TokenContent =
  & { jti: string; roles?: string[] }
  & (
    | (
      & { type: TokenType; lifetimeSeconds: number; aud?: string }
      & Pick<
        ClientClaims,
        "client_type" | "sub" | "sid"
      >
    )
    | (
      & { type: "access" }
      & Pick<
        ContainerClaims,
        "client_type" | "sub" | "result_id" | "attempt" | "key_generation"
      >
    )
  );

/** Signs one token, valid from `now`; a container's has no expiry (it ends with its attempt). */
export async function signToken(
  key: SigningKey,
  content: TokenContent,
  now: Date = new Date(),
): Promise<string> {
  const iat = Math.floor(now.getTime() / 1000);
  const { roles = [], ...given } = content;
  const { lifetimeSeconds, ...own } = "lifetimeSeconds" in given
    ? given
    : { ...given, lifetimeSeconds: undefined };
  const claims = {
    fresh: false,
    iat,
    nbf: iat,
    csrf: crypto.randomUUID(),
    ...own,
    ...(lifetimeSeconds === undefined ? {} : { exp: iat + lifetimeSeconds }),
    roles,
  };
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid: key.kid })
    .sign(key.private_jwk);
}

export interface VerifyOptions {
  /** What it must be; one of several will do. */
  type: TokenType | readonly TokenType[];
  now?: Date;
}

/**
 * Checks signature, form, type and time of a token.
 * Throws `invalid_token` (422) for one that is malformed, wrongly signed or of the other type, and
 * `unauthenticated` (401) for one that has expired, as the contract's §2.6 asks.
 * `findKey` returns the public key of a `kid`, or `undefined`.
 */
export async function verifyToken(
  token: string,
  findKey: (kid: string) => Promise<JWK | undefined>,
  { type, now = new Date() }: VerifyOptions,
): Promise<Claims> {
  const claims = await readClaims(token, findKey);
  const wanted = [type].flat();
  if (!wanted.includes(claims.type)) {
    throw new SextantError(
      "invalid_token",
      `This is not ${wanted.includes("access") ? "an access" : "a refresh"} token.`,
    );
  }
  const seconds = now.getTime() / 1000;
  // A minute of tolerance towards clocks that differ; never for the expiry.
  if (claims.nbf > seconds + 60) {
    throw new SextantError("invalid_token", "The token is not valid yet.");
  }
  if ("exp" in claims && claims.exp <= seconds) {
    throw new SextantError("unauthenticated", "The token has expired; log in or refresh it.");
  }
  return claims;
}

async function readClaims(
  token: string,
  findKey: (kid: string) => Promise<JWK | undefined>,
): Promise<Claims> {
  let lookup: Error | undefined;
  try {
    const { payload } = await compactVerify(token, async (header) => {
      if (typeof header.kid !== "string") throw new TypeError("no kid");
      const jwk = await findKey(header.kid).catch((error) => {
        throw lookup = error;
      });
      if (!jwk) throw new TypeError("unknown kid");
      return jwk; // the library caches the imported key by this object
    }, { algorithms: [ALGORITHM] });
    return claimsSchema.parse(
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)),
    );
  } catch (cause) {
    if (lookup) throw lookup; // the keys could not be had: not the token's fault
    throw new SextantError("invalid_token", "The token is malformed or its signature is wrong.", {
      cause,
    });
  }
}
