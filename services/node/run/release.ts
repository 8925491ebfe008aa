/**
 * The end of a result that waits for a person at this site: the hub is told that it waits, and what
 * the person decides is done, however often this agent ends in between.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import type { Seal } from "../../../shared/payload/form.ts";
import type { Origin } from "../encryption/sealed.ts";
import type { HeldDecision, HeldNote } from "../disclosure/held_files.ts";
import { auditOfAttempt } from "../record/audit_log.ts";
import { attemptKey } from "../record/attempt_key.ts";
import type { Ending, EndingOptions } from "./ending.ts";
import { Interruption } from "./interruption.ts";

export interface ReleaseTools
  extends Pick<EndingOptions, "audit" | "held" | "journal" | "log" | "reporter"> {
  ending: Ending;
  /** What encrypts the result of an attempt on this input; `null` where nothing is encrypted. */
  sealOf: (dispatch: Dispatch, origin: Origin | null | undefined) => Promise<Seal | null>;
}

/** A hub that knew no such report may have been updated. */
const TELL_AGAIN_MS = 600_000;

/**
 * Waits for the owner's decision about a held result and follows it. Rejects with the reason of
 * `signal`, or with an {@linkcode Interruption} when the hub wants no more of it.
 */
export async function seeReleased(
  dispatch: Dispatch,
  { audit, held, journal, log, reporter, ending, sealOf }: ReleaseTools,
  signal: AbortSignal,
): Promise<void> {
  const note = auditOfAttempt(audit, dispatch);
  const { note: about, result } = await held.read(dispatch);
  const unwanted = new AbortController();
  const either = AbortSignal.any([signal, unwanted.signal]);

  /** Tells the hub that it waits, until it has heard that. */
  async function tell(): Promise<void> {
    const { result_id, attempt } = dispatch;
    for (;;) {
      const answer = await reporter.held({ result_id, attempt, since: about.since }, either);
      if (answer !== "unheard") {
        if (!answer.ok) {
          unwanted.abort(
            new Interruption("unwanted", `the hub no longer wants it: ${answer.reason}`),
          );
        }
        return;
      }
      log.info("The hub does not know that results can wait for release: it is not told");
      await delay(TELL_AGAIN_MS, undefined, { signal: either });
    }
  }

  let decision: HeldDecision;
  let seal: Seal | null = null;
  const telling = tell().catch((error) => {
    if (!either.aborted) log.warn("The hub cannot be told that a result waits", { error });
  });
  try {
    decision = await held.decided(dispatch, either);
    if (decision.is === "release" && result) {
      const input = journal.open.get(attemptKey(dispatch))?.input;
      seal = await orAbort(sealOf(dispatch, input), either);
    }
    either.throwIfAborted();
  } finally {
    unwanted.abort(new Error("over"));
    await telling;
  }
  const { reason, by, at } = decision;
  if (decision.is === "refuse") {
    await note("held result refused", { reason, by, decided_at: at, why: about.why });
    return await ending.fail("not allowed", refusalText(about, reason));
  }
  await note("held result released", {
    reason,
    by,
    decided_at: at,
    why: about.why,
    status: about.status,
    result_bytes: about.size,
    ...(seal ? { key: seal.key } : {}),
  });
  const { status, reason: told, log: printed } = about;
  await ending.release({ status, result, log: printed, reason: told, seal });
}

/** What the researcher reads of a result that the owner does not let leave. */
function refusalText({ why }: HeldNote, reason: string): string {
  return `Refused at release: ${reason} (It was held: ${why})`;
}
