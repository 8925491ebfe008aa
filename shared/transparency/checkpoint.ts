/**
 * Checkpoints of an audit record: what its tree was at a time, signed by the hub, in C2SP's formats
 * [tlog-checkpoint](https://c2sp.org/tlog-checkpoint) and
 * [signed-note](https://c2sp.org/signed-note), so that other programs can check them, too:
 *
 * ```
 * sextant/<the account of this installation's broker>/task
 * 20852163
 * CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 * sealed 2026-03-24T10:00:00.000Z
 *
 * — sextant/…/task <base64 of key ID and Ed25519 signature>
 * ```
 *
 * It is signed with the key that signs what is dispatched: nodes remember that one already, and a
 * node that believed another for the record would not be helped by this. What is signed here begins
 * with the origin, never with the words that a message begins with (`broker/signing.ts`).
 * @module
 */
import { createHash } from "node:crypto";
import { nkeyBytes, publicKeyOf, signNoteText, verifyRaw } from "../broker/signing.ts";
import { HUB_SERVICES, type HubService } from "../broker/subjects.ts";
import { HASH_BYTES, type TreeHead } from "./merkle.ts";

/** A tree at the time of its last seal. */
export interface Checkpoint extends TreeHead {
  /** Which record this is, of which installation. */
  origin: string;
  service: HubService;
  /** ISO 8601, UTC, milliseconds. */
  sealedAt: string;
}

/** Longer is no checkpoint; one of ours has less than 500 characters. */
const LONGEST = 4096;
/** Fewer must not be refused (signed-note, "Format"). */
const MOST_SIGNATURES = 16;
const ED25519 = 1;
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;
const SEALED = /^sealed (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;
const encoder = new TextEncoder();

/** Names the record of one service; `account` is the public key of the broker's account. */
export function originOf(account: string, service: HubService): string {
  return `sextant/${account}/${service}`;
}

/** The text of a checkpoint, signed with the seed of the hub's dispatch key. */
export function writeCheckpoint(
  { origin, size, root, sealedAt }: Omit<Checkpoint, "service">,
  seed: string,
): string {
  const text = `${origin}\n${size}\n${root.toBase64()}\nsealed ${sealedAt}\n`;
  const signature = signNoteText(seed, text);
  const bytes = new Uint8Array([...keyId(origin, publicKeyOf(seed)), ...signature]);
  return `${text}\n\u2014 ${origin} ${bytes.toBase64()}\n`;
}

/** SHA-256(name, line feed, kind of signature, public key), of which the first four bytes count. */
function keyId(name: string, key: string): Uint8Array {
  return createHash("sha256").update(`${name}\n`).update(Uint8Array.of(ED25519))
    .update(nkeyBytes(key)).digest().subarray(0, 4);
}

/** What a checkpoint says, or why it is not believed; `keys` are those of the hub, in nkey text. */
export function readCheckpoint(note: string, keys: readonly string[]): Checkpoint | string {
  // deno-lint-ignore no-control-regex -- a signed note has none but line feeds
  if (note.length > LONGEST || /[\x00-\x09\x0b-\x1f]/.test(note)) return "it is no signed note";
  const end = note.lastIndexOf("\n\n") + 1;
  if (end === 0 || !note.endsWith("\n")) return "it is no signed note";
  const text = note.slice(0, end);
  const checkpoint = parseText(text);
  if (typeof checkpoint === "string") return checkpoint;
  const lines = note.slice(end + 1, -1).split("\n");
  const signed = lines.length > MOST_SIGNATURES
    ? "it has too many signatures"
    : whyNotSigned(text, lines, { name: checkpoint.origin, keys });
  return signed ?? checkpoint;
}

function parseText(text: string): Checkpoint | string {
  const [origin = "", size = "", root = "", ...rest] = text.slice(0, -1).split("\n");
  const service = HUB_SERVICES.find((one) => origin.endsWith(`/${one}`));
  if (!service || !/^sextant\/[A-Z0-9]{1,64}\/[a-z]+$/.test(origin)) {
    return `it is of no record of a hub: ${origin.slice(0, 100)}`;
  }
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    return `it is of ${size.slice(0, 30)} entries`;
  }
  const hash = fromBase64(root);
  if (hash?.length !== HASH_BYTES || hash.toBase64() !== root) return "its root is no SHA-256";
  const sealed = rest.map((line) => SEALED.exec(line)?.[1]).filter((one) => one !== undefined);
  if (sealed.length !== 1 || Number.isNaN(Date.parse(sealed[0]!))) return "it has no time";
  return { origin, service, size: Number(size), root: hash, sealedAt: sealed[0]! };
}

function whyNotSigned(
  text: string,
  lines: string[],
  { name, keys }: { name: string; keys: readonly string[] },
): string | undefined {
  let verified = false;
  for (const line of lines) {
    const [, by, base64] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = base64 === undefined ? undefined : fromBase64(base64);
    if (by === undefined || !bytes || bytes.length <= 4) return "it is no signed note";
    const key = by === name
      ? keys.find((one) => isSame(keyId(name, one), bytes.subarray(0, 4)))
      : undefined;
    // Others may sign, too; what they say is not asked here.
    if (key === undefined) continue;
    const signature = bytes.subarray(4).toBase64({ alphabet: "base64url", omitPadding: true });
    if (!verifyRaw(key, encoder.encode(text), signature)) return "its signature is wrong";
    verified = true;
  }
  return verified ? undefined : "no key that is known as the hub's has signed it";
}

const isSame = (one: Uint8Array, other: Uint8Array) => one.every((byte, at) => byte === other[at]);

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
