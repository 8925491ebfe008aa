/**
 * The messages of HTTP over NATS, as bytes.
 *
 * `kind u8 | complete u8 | seq u32 | credit u32 | rest`. In REQUEST and HEAD the rest is
 * `length u32 | meta (JSON) | body`; in DATA it is body, in ABORT a reason, in a service's ALIVE
 * its replica.
 * @module
 */
import { z } from "zod";
import { traceparentSchema } from "../tracing/traceparent.ts";

export const KIND = { request: 1, head: 2, alive: 3, data: 4, end: 5, abort: 6 } as const;
export type Kind = typeof KIND[keyof typeof KIND];

export interface Frame {
  kind: Kind;
  /** The body is in this frame, all of it. */
  complete: boolean;
  /** DATA: its number from 0. Others: how many DATA frames their sender has sent. */
  seq: number;
  /** How many DATA frames the sender of this one accepts in all. */
  credit: number;
  rest: Uint8Array;
}

/** Bytes of body in one message. */
export const CHUNK = 256 * 1024;
/** Chunks that may be on their way. */
export const WINDOW = 8;
/** How often a side says that it is still there, in milliseconds. */
export const ALIVE_EVERY_MS = 5000;
/**
 * Parts of that interval: a first sign of a request that was taken comes within two, and is missed
 * after three.
 */
export const TICKS = 5;
/** How long a side may be silent. */
export const SILENCE_MS = 15_000;
/** Stands for "whichever replica has it". */
export const ALL_REPLICAS = "all";

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
export const NULL_BODY_STATUS = new Set([204, 205, 304]);

const HEADER = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const LAST_KIND = KIND.abort;

/** Builds a frame; `parts` are copied once. */
export function encodeFrame(
  kind: Kind,
  { complete = false, seq = 0, credit = 0 }: { complete?: boolean; seq?: number; credit?: number },
  ...parts: Uint8Array[]
): Uint8Array {
  let size = HEADER;
  for (const part of parts) size += part.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind;
  bytes[1] = complete ? 1 : 0;
  view.setUint32(2, seq);
  view.setUint32(6, credit);
  let at = HEADER;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads a frame; `undefined` when the bytes are none. `rest` is a view of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const [kind, complete] = bytes;
  if (bytes.length < HEADER || !kind || kind > LAST_KIND || complete! > 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    kind: kind as Kind,
    complete: complete === 1,
    seq: view.getUint32(2),
    credit: view.getUint32(6),
    rest: bytes.subarray(HEADER),
  };
}

/** The parts of a REQUEST or HEAD that stand before the body. */
export function encodeMeta(meta: RequestMeta | ResponseMeta): Uint8Array[] {
  const json = encoder.encode(JSON.stringify(meta));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length);
  return [length, json];
}

const headerList = z.array(z.tuple([z.string(), z.string()]));
const name = z.string().regex(/^[A-Za-z0-9]+$/);

const requestMeta = z.object({
  method: z.string(),
  path: z.string().startsWith("/"),
  headers: headerList,
  principal: z.unknown().optional(),
  request_id: z.string().optional(),
  /** Where the request came from. */
  address: z.string().optional(),
  /** The span in whose course it is asked. */
  traceparent: traceparentSchema,
});
export type RequestMeta = z.infer<typeof requestMeta>;

const responseMeta = z.object({
  status: z.number().int().min(200).max(599),
  headers: headerList,
  /** Where to send further frames. */
  replica: name,
});
export type ResponseMeta = z.infer<typeof responseMeta>;

function decodeMeta<Meta>(
  rest: Uint8Array,
  schema: z.ZodType<Meta>,
): { meta: Meta; body: Uint8Array } | undefined {
  if (rest.length < 4) return undefined;
  const end = 4 + new DataView(rest.buffer, rest.byteOffset).getUint32(0);
  if (end > rest.length) return undefined;
  const parsed = schema.safeParse(parseJson(rest.subarray(4, end)));
  return parsed.success ? { meta: parsed.data, body: rest.subarray(end) } : undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

export const decodeRequest = (rest: Uint8Array) => decodeMeta(rest, requestMeta);
export const decodeResponse = (rest: Uint8Array) => decodeMeta(rest, responseMeta);

/** A short text in a frame: a reason, or the name of a replica. */
export function decodeText(rest: Uint8Array): string {
  return new TextDecoder().decode(rest.subarray(0, 500));
}

/** The name of a replica in its ALIVE; `undefined` when it is none. */
export function decodeReplica(rest: Uint8Array): string | undefined {
  return name.safeParse(decodeText(rest)).data;
}

export const encodeText = (text: string) => encoder.encode(text);

// RFC 9110 §7.6.1: these speak of one connection, not of the message.
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The headers that concern the message itself. */
export function messageHeaders(headers: Headers): [string, string][] {
  const list: [string, string][] = [];
  for (const pair of headers) if (!HOP_BY_HOP.has(pair[0])) list.push(pair);
  return list;
}
