/**
 * Where in a trace something is done, as W3C's Trace Context writes it:
 * `00-<trace id>-<span id>-<flags>` (https://www.w3.org/TR/trace-context/#traceparent-header).
 * @module
 */
import { z } from "zod";

export const TRACEPARENT_HEADER = "traceparent";

const FORM = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface Traceparent {
  traceId: string;
  spanId: string;
  /** The lowest bit: whether the trace is recorded. */
  flags: number;
}

/** Reads one; `undefined` for whatever is none: a broken one begins a trace of its own. */
export function readTraceparent(text: string | null | undefined): Traceparent | undefined {
  const [, traceId, spanId, flags] = FORM.exec(text ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export function writeTraceparent({ traceId, spanId, flags }: Traceparent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

/** In a message: nothing depends on it, so one that cannot be read is as good as none. */
export const traceparentSchema = z.string().regex(FORM).optional().catch(undefined);
