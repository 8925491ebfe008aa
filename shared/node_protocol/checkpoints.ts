/**
 * How checkpoints of the hub's audit record (`transparency/checkpoint.ts`) come to nodes: in a
 * header of whatever the hub sends on `dispatch.<node>`, in its answers to `work`, and over HTTP.
 * Each is signed by itself, and agents of the version before overlook them.
 * @module
 */
import { z } from "zod";

export const CHECKPOINTS_HEADER = "Sextant-Checkpoints";

/** One for each record that the hub keeps; more than there are today. */
export const checkpointList = z.array(z.string().max(4096)).max(16);

/** Checkpoints as a header carries them. */
export function checkpointsHeader(notes: readonly string[]): string {
  return new TextEncoder().encode(JSON.stringify(notes)).toBase64();
}

/** The checkpoints of a message, which may be anything; none in one without them. */
export function checkpointsOf(
  { headers }: { headers?: { get(name: string): string } | undefined },
): string[] {
  const text = headers?.get(CHECKPOINTS_HEADER);
  if (!text) return [];
  try {
    return checkpointList.parse(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text))));
  } catch {
    // Whoever watches is told of what is no checkpoint, too.
    return [text.slice(0, 100)];
  }
}
