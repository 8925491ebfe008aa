import { bytesOfBase64 } from "./base64.ts";

/** The browser's programs encrypt the base64 text of a message (HTTP contract §7.3). */
export function withoutSecondBase64(content: Uint8Array): Uint8Array {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    // JSON that is base64 at the same time is a bare number or word, never an algorithm's input.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || isJson(text)) return content;
    const inner = bytesOfBase64(text);
    return isJson(new TextDecoder("utf-8", { fatal: true }).decode(inner)) ? inner : content;
  } catch {
    return content;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
