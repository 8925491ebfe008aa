/**
 * Backups that only their owner can read, in the format of age (https://age-encryption.org/v1), so
 * that `age --decrypt` opens them, too.
 * @module
 */
import { Decrypter, Encrypter } from "age-encryption";
import { messageOf } from "../../../shared/service/errors.ts";

/** What a backup is encrypted with. */
export interface Lock {
  /** Public keys (`age1…`), of which each opens it. */
  recipients: string[];
  passphrase?: string | undefined;
}

/** What opens one. */
export interface Opener {
  /** Secret keys (`AGE-SECRET-KEY-1…`). */
  identities: string[];
  passphrase?: string | undefined;
}

type Bytes = ReadableStream<Uint8Array>;

const HEADER = new TextEncoder().encode("age-encryption.org/v1\n");

/** Encrypts a stream; throws when a public key is none, or both kinds are given. */
export async function encrypt(content: Bytes, { recipients, passphrase }: Lock): Promise<Bytes> {
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    if (passphrase !== undefined) encrypter.setPassphrase(passphrase);
  } catch (cause) {
    throw new Error(`Cannot encrypt the backup: ${messageOf(cause)}`, { cause });
  }
  return await encrypter.encrypt(content);
}

/**
 * The content of a backup, whether or not it is encrypted. Throws when it cannot be opened with
 * what is given.
 */
export async function decrypt(content: Bytes, opener: Opener): Promise<Bytes> {
  const [first, rest] = await startOf(content, HEADER.length);
  if (!HEADER.every((byte, at) => first[at] === byte)) return rest;
  if (opener.identities.length === 0 && opener.passphrase === undefined) {
    await rest.cancel();
    throw new Error(
      "Cannot read the backup: it is encrypted. Give the file with its passphrase " +
        "(--passphrase-file) or with the secret key (--identity-file).",
    );
  }
  const decrypter = new Decrypter();
  try {
    for (const identity of opener.identities) decrypter.addIdentity(identity);
    if (opener.passphrase !== undefined) decrypter.addPassphrase(opener.passphrase);
    return await decrypter.decrypt(rest);
  } catch (cause) {
    throw new Error(
      `Cannot read the backup: what was given does not open it (${messageOf(cause)})`,
      { cause },
    );
  }
}

/** The first bytes of a stream, at least `least` where there are so many, and the whole of it. */
async function startOf(content: Bytes, least: number): Promise<[Uint8Array, Bytes]> {
  const reader = content.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < least) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  const first = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    first.set(piece, at);
    at += piece.length;
  }
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      if (size > 0) controller.enqueue(first);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return [first, whole];
}
