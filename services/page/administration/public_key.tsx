/**
 * The public key of an organization: pasted as its PEM, or read from its file; shown by the
 * fingerprint that people compare.
 * @module
 */
import { useState } from "preact/hooks";
import { bytesOfBase64, toBase64 } from "../../../shared/payload/base64.ts";
import { fingerprintOf } from "../../client/keys/fingerprint.ts";
import { useAsked } from "../parts/loading.tsx";
import { administration } from "../texts/administration.ts";
import type { OwnControl } from "./form_values.ts";

const words = administration.publicKey;

/** `value` is base64 of the PEM, as the API has it. */
export function PublicKeyControl({ id, value, onValue }: OwnControl) {
  const given = typeof value === "string" ? value : "";
  const fingerprint = useAsked(() => keyFingerprint(given), [given]).value;
  const [refused, setRefused] = useState(false);
  function take(text: string): void {
    // Not even the hub may see it: it goes no further than this.
    const isPrivate = /PRIVATE KEY/.test(text);
    setRefused((before) => isPrivate || (before && text.trim() === ""));
    onValue(isPrivate ? "" : storedOf(text));
  }
  return (
    <>
      <div role="alert">{refused && <p class="notice bad">{words.isPrivate}</p>}</div>
      <textarea
        id={id}
        rows={6}
        class="mono"
        spellcheck={false}
        value={pemOf(given)}
        onInput={(event) => take(event.currentTarget.value)}
      />
      <input
        type="file"
        aria-label={words.file}
        onChange={async (event) => {
          const text = await event.currentTarget.files?.[0]?.text();
          if (text !== undefined) take(text);
        }}
      />
      {given !== "" && <span class="help">{words.fingerprint}: {fingerprint}</span>}
    </>
  );
}

/** `sha256:…` of a key as the API has it; of what is no key, a sentence. */
export async function keyFingerprint(stored: string | null): Promise<string> {
  if (!stored) return "";
  const [, body] = /^-----BEGIN PUBLIC KEY-----([\sA-Za-z0-9+/=]+)-----END PUBLIC KEY-----\s*$/
    .exec(pemOf(stored)) ?? [];
  if (body === undefined) return words.notAKey;
  return await fingerprintOf(new Uint8Array(bytesOfBase64(body.replace(/\s/g, ""))));
}

function storedOf(text: string): string {
  return text.trim() === "" ? "" : toBase64(new TextEncoder().encode(text));
}

function pemOf(stored: string): string {
  try {
    return new TextDecoder().decode(bytesOfBase64(stored));
  } catch {
    return stored;
  }
}
