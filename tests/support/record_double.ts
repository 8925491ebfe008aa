/** An audit record of a hub that need not be honest: its tree, its checkpoints and its proofs. */
import { publicKeyOf } from "../../shared/broker/signing.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { originOf, writeCheckpoint } from "../../shared/transparency/checkpoint.ts";
import {
  completeSpans,
  consistencySpans,
  type Hash,
  leafHash,
  rootOf,
  rootOfSpans,
} from "../../shared/transparency/merkle.ts";

export interface RecordDouble {
  service: HubService;
  readonly size: number;
  grow(count: number): void;
  /** A checkpoint of what there is, or of the first `size` entries, signed. */
  checkpoint(how: { seed: string; sealedAt: number; size?: number; origin?: string }): string;
  /** In base64. */
  proof(from: number, to: number): string[];
  /** Another record that has the first `size` entries in common with this one. */
  fork(size: number): RecordDouble;
}

export function createRecordDouble(
  service: HubService = "task",
  leaves: Hash[] = [],
): RecordDouble {
  const word = crypto.randomUUID();
  return {
    service,
    get size() {
      return leaves.length;
    },
    grow(count) {
      for (let n = 0; n < count; n++) leaves.push(leafHash(`${word} ${leaves.length}`));
    },
    checkpoint({ seed, sealedAt, size = leaves.length, origin }) {
      return writeCheckpoint({
        origin: origin ?? originOf(publicKeyOf(seed), service),
        size,
        root: new Uint8Array(rootOf(leaves.slice(0, size))),
        sealedAt: new Date(sealedAt).toISOString(),
      }, seed);
    },
    proof: (from, to) =>
      consistencySpans(from, to).map((span) => {
        const parts = completeSpans(span).map(({ start, end }) => rootOf(leaves.slice(start, end)));
        return Buffer.from(rootOfSpans(parts)).toString("base64");
      }),
    fork: (size) => createRecordDouble(service, leaves.slice(0, size)),
  };
}
