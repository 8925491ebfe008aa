/**
 * The credential a node shows with its reports: its broker user JWT, checked without asking anyone.
 * @module
 */
import { z } from "zod";
import { SextantError } from "../service/errors.ts";
import { isUserPublicKey, verifyRaw } from "../broker/signing.ts";

/** The two public keys by which a node's credential is recognised. */
export interface NodeIssuers {
  appAccountPublic: string;
  nodeSignerPublic: string;
}

/** What a valid node credential says. */
export interface NodeCredential {
  node: number;
  /** The nkey that the node's reports are signed with. */
  publicKey: string;
  expiresAt: Date;
}

const headerClaims = z.object({ alg: z.literal("ed25519-nkey") });
const nodeClaims = z.object({
  iss: z.string(),
  sub: z.string().refine(isUserPublicKey),
  name: z.string().regex(/^[1-9]\d{0,14}$/),
  exp: z.number().int().positive(),
  nats: z.object({ issuer_account: z.string(), type: z.literal("user") }),
});
const MAX_CACHED_CREDENTIALS = 10_000;
const credentials = new Map<string, NodeCredential>();

/**
 * Reads and checks a node's user JWT: signature, issuer, expiry. Throws `invalid_token` saying what
 * is wrong. The result is cached, since every report of a node carries the same one.
 */
export function verifyNodeCredential(
  jwt: string,
  { appAccountPublic, nodeSignerPublic }: NodeIssuers,
  now: Date = new Date(),
): NodeCredential {
  const key = `${nodeSignerPublic}${appAccountPublic}${jwt}`;
  let credential = credentials.get(key);
  if (!credential) {
    credential = parseNodeCredential(jwt, { appAccountPublic, nodeSignerPublic });
    if (credentials.size >= MAX_CACHED_CREDENTIALS) {
      credentials.delete(credentials.keys().next().value!);
    }
    credentials.set(key, credential);
  }
  if (credential.expiresAt <= now) throw refuse("it has expired");
  return credential;
}

function refuse(reason: string): SextantError {
  return new SextantError("invalid_token", `Cannot accept the node's broker credential: ${reason}`);
}

function parseNodeCredential(jwt: string, issuers: NodeIssuers): NodeCredential {
  const [header, body, signature, ...rest] = jwt.split(".");
  if (!header || !body || !signature || rest.length > 0) throw refuse("it is not a JWT");
  const alg = headerClaims.safeParse(parseJwtSegment(header));
  const claims = nodeClaims.safeParse(parseJwtSegment(body));
  if (!alg.success || !claims.success) throw refuse("its claims are not a node's");
  const { iss, sub, name, exp, nats } = claims.data;
  if (
    iss !== issuers.nodeSignerPublic || nats.issuer_account !== issuers.appAccountPublic
  ) throw refuse("it was issued by someone else");
  const signed = new TextEncoder().encode(`${header}.${body}`);
  if (!verifyRaw(iss, signed, signature)) throw refuse("its signature is wrong");
  return { node: Number(name), publicKey: sub, expiresAt: new Date(exp * 1000) };
}

/** The JSON in one part of a JWT; `undefined` when there is none. */
export function parseJwtSegment(text: string): unknown {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
