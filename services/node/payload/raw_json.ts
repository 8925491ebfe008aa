/**
 * JSON that is passed on unread: read, it can take fourteen times its bytes (`[],[],…`) in the heap
 * that all runs of the agent share.
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { createJsonCheck } from "./json_check.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** A value as its text in UTF-8, in one line. */
export class RawJson {
  readonly bytes: Uint8Array;

  /** `bytes` must be JSON: between its tokens alone there are line feeds then. */
  constructor(bytes: Uint8Array) {
    const isMarked = BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
    const text = isMarked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
    this.bytes = text.includes(LINE_FEED)
      ? text.map((byte) => byte === LINE_FEED ? SPACE : byte)
      : text;
  }
}

/** Bytes that are looked at before others have their turn. */
const PIECE = 2 ** 20;

/**
 * Whether bytes are JSON in UTF-8; however many there are, the agent does other things meanwhile.
 */
export async function isJson(bytes: Uint8Array): Promise<boolean> {
  const check = createJsonCheck();
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (at > 0) await delay();
    check.take(bytes.subarray(at, at + PIECE));
  }
  return check.end();
}

/** The JSON of a value that has raw values in it, in pieces. */
export function encodeWithRaw(value: unknown): Uint8Array[] {
  const encoder = new TextEncoder();
  const mark = crypto.randomUUID();
  const raws: RawJson[] = [];
  function replace(_key: string, one: unknown): unknown {
    if (!(one instanceof RawJson)) return one;
    raws.push(one);
    return mark;
  }
  return JSON.stringify(value, replace).split(`"${mark}"`).flatMap((text, index) =>
    index === 0 ? [encoder.encode(text)] : [raws[index - 1]!.bytes, encoder.encode(text)]
  );
}
