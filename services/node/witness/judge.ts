/**
 * What a checkpoint of the hub's audit record means beside the one that this node has accepted:
 * decided without asking anybody.
 * @module
 */
import type { Checkpoint } from "../../../shared/transparency/checkpoint.ts";
import { isSameHash } from "../../../shared/transparency/merkle.ts";

/** What is wrong with the hub's record, or with what can be learned of it. */
export const ALARM_KINDS = [
  /** What was seen before is not the beginning of what there is now. */
  "rewritten",
  /** There are fewer records than before. */
  "rolled back",
  /** Two records of one size, or one that another node was shown. */
  "split view",
  "other record",
  "senseless",
  "bad signature",
  /** Nothing new comes, though the hub answers. */
  "frozen",
  "out of reach",
  /** Another key speaks for a node whose statements were believed. */
  "other witness",
] as const;
export type AlarmKind = typeof ALARM_KINDS[number];

/** Over once all is well again; the other alarms stand until the owner acknowledges them. */
const PASSING: readonly AlarmKind[] = ["bad signature", "frozen", "out of reach"];
export const isPassing = (kind: AlarmKind) => PASSING.includes(kind);

/**
 * A seal comes every six hours, whatever happens (`SEAL_AT_LEAST_EVERY_MS`). Without a new one for
 * this long, by this machine's clock, the record is held back, or nobody keeps it.
 */
export const GREATEST_AGE_MS = 86_400_000;
/** Any replica of a service seals, by its own clock. */
const REPLICAS_DIFFER_MS = 600_000;

export interface Problem {
  kind: AlarmKind;
  problem: string;
}

export type Judgement =
  /** The first one, or the same tree with a later seal. */
  | { is: "accepted" }
  /**
   * To be believed once its size and the other's are proven consistent; `else` when they are not.
   */
  | { is: "newer" | "older"; else: Problem }
  /** Nothing that is not known. */
  | { is: "known" }
  | ({ is: "wrong" } & Problem);

/**
 * Judges a checkpoint with a good signature. `asked` when it is the answer to the question for the
 * newest one, and cannot be a late copy.
 */
export function judge(
  told: Checkpoint,
  kept: Checkpoint | undefined,
  { asked, now }: { asked: boolean; now: number },
): Judgement {
  const { size, service, sealedAt } = told;
  const wrong = (kind: AlarmKind, problem: string): Judgement => ({ is: "wrong", kind, problem });
  if (Date.parse(sealedAt) > now + GREATEST_AGE_MS) {
    return wrong("senseless", `The seal over ${size} records is of ${sealedAt}, which is to come.`);
  }
  if (!kept) return { is: "accepted" };
  if (told.origin !== kept.origin) {
    return wrong("other record", `It is the record ${told.origin}, and was ${kept.origin} before.`);
  }
  const isLater = Date.parse(sealedAt) > Date.parse(kept.sealedAt);
  if (size === kept.size) {
    if (!isSameHash(told.root, kept.root)) {
      return wrong("split view", `There are two records of ${service} with ${size} entries.`);
    }
    return { is: isLater ? "accepted" : "known" };
  }
  if (size < kept.size) {
    const problem = `The record has ${size} entries; it had ${kept.size} before.`;
    if (asked || isLater) return wrong("rolled back", problem);
    return {
      is: "older",
      else: {
        kind: "split view",
        problem: `A record of ${size} entries is not the beginning of that with ${kept.size}.`,
      },
    };
  }
  if (Date.parse(sealedAt) < Date.parse(kept.sealedAt) - REPLICAS_DIFFER_MS) {
    return wrong(
      "senseless",
      `The seal over ${size} records is of ${sealedAt}, that over ${kept.size} of ${kept.sealedAt}.`,
    );
  }
  return {
    is: "newer",
    else: {
      kind: "rewritten",
      problem: `The ${kept.size} entries that were seen are not the beginning of the ${size} now.`,
    },
  };
}
