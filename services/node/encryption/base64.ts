/**
 * A payload that is not encrypted, as it lies in a blob: base64 of its content, written and read
 * piece by piece.
 * @module
 */
import { joined, type Opener, type Seal } from "../../../shared/payload/form.ts";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";

/** Writes base64 as a seal writes ciphertext. */
export function createBase64Seal(): Seal {
  const encoder = new TextEncoder();
  let left: Uint8Array<ArrayBuffer> = new Uint8Array();
  return {
    header: "",
    key: null,
    update(piece) {
      const bytes = left.length === 0 ? piece : joined(left, piece);
      const end = bytes.length - bytes.length % 3;
      left = new Uint8Array(bytes.subarray(end));
      return encoder.encode(bytes.subarray(0, end).toBase64());
    },
    final: () => encoder.encode(left.toBase64()),
  };
}

/** Reads base64 as an opener reads ciphertext. */
export function createBase64Opener(): Opener {
  const decoder = new TextDecoder("latin1");
  /** Characters that make no whole group yet. */
  let left = "";

  function decode(text: string, lastChunkHandling: "stop-before-partial" | "loose") {
    const groups = text.length / 4;
    const memory = new Uint8Array(
      3 * (lastChunkHandling === "loose" ? Math.ceil(groups) : Math.floor(groups)),
    );
    try {
      const { read, written } = memory.setFromBase64(text, { lastChunkHandling });
      left = text.slice(read);
      return memory.subarray(0, written);
    } catch {
      throw new UnreadableError("it is not base64");
    }
  }

  return {
    authenticated: false,
    update(piece) {
      const text = left + decoder.decode(piece);
      const end = text.indexOf("=");
      if (end < 0) return decode(text, "stop-before-partial");
      const padding = text.slice(end).replaceAll(/\s/g, "");
      if (padding.length > 2) throw new UnreadableError("it is not base64");
      const content = decode(text.slice(0, end), "stop-before-partial");
      left += padding;
      return content;
    },
    final: () => Promise.try(decode, left, "loose" as const),
  };
}
