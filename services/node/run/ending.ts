/**
 * The end of an attempt: first on the disk, then at the hub, then forgotten.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { FinalStatus } from "../../../shared/node_protocol/status.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Exit } from "../disclosure/exit.ts";
import type { Seal } from "../../../shared/payload/form.ts";
import type { Held } from "../disclosure/held.ts";
import { UnkeptResultError } from "../disclosure/held_files.ts";
import { endWithoutWords } from "../disclosure/words.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { ChangedFileError } from "../payload/pieces.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import { digestOfFile } from "../record/audit_record.ts";
import type { FinishedRun } from "../record/finish_report.ts";
import type { Journal } from "../record/journal.ts";
import { type Reporter, ReportRefusedError, UndeliverableError } from "./reporter.ts";
import type { Execution } from "./runtime.ts";

/**
 * A run that has ended, with what may leave of it, and what encrypts its result; `null` where
 * nothing is encrypted.
 */
export type EndedRun = Execution & { seal: Seal | null; exit: Exit };

export interface EndingOptions {
  journal: Journal;
  audit: AuditLog;
  reporter: Reporter;
  held: Held;
  /** Whether what the algorithm prints leaves the site. */
  shareLogs: boolean;
  log: Logger;
}

/** What is told of a run whose result is not what it left, or cannot be read any more. */
const CHANGED = {
  status: "crashed",
  result: null,
  reason: "The result was changed or lost after the algorithm had ended.",
} as const;

/** The ways in which an attempt can end. Each resolves once nothing is left to be done about it. */
export interface Ending {
  /** Its algorithm has ended: its end is kept, and reported. */
  conclude(run: EndedRun): Promise<void>;
  /**
   * Its algorithm has ended, and what came of it is kept until a person decides about it; the hub
   * is not told. `why` is a sentence for the owner, which a refusal passes on to the researcher;
   * `ended` is for the owner alone. A result that was changed or lost waits as a failure does, for
   * that could be an answer, too. When more wait than may, the attempt has failed, and is over.
   */
  hold(run: EndedRun, about: { why: string; ended: string | null }): Promise<"held" | "over">;
  /** A person lets leave what was held: its end is kept, and reported. */
  release(run: FinishedRun): Promise<void>;
  /** It ends without a result, and without having ended by itself. */
  fail(status: FinalStatus, reason: string): Promise<void>;
  /** What is on the disk is reported. */
  deliver(): Promise<void>;
  /** Nobody knows how far it came: the hub may have it done again. */
  giveUp(reason: string): Promise<void>;
  /** The hub does not want it any more. */
  forget(): Promise<void>;
}

/**
 * How `dispatch` can be ended. All of them reject with a `JournalError` or an `AuditError` when the
 * disk fails, and with the reporter's reason when the agent stops in the middle of a report.
 */
export function createEnding(
  dispatch: Dispatch,
  { journal, audit, reporter, held, shareLogs, log }: EndingOptions,
): Ending {
  const note = auditOfAttempt(audit, dispatch);
  const keep = (run: FinishedRun) => keepEnd(journal, dispatch, run);

  async function conclude(run: EndedRun): Promise<void> {
    const { status, result } = run;
    const noted = note("run ended", {
      status,
      ...(result ? { result_bytes: result.size, result_sha256: result.sha256 } : {}),
      ...(result && run.seal ? { key: run.seal.key } : {}),
      log_bytes: run.log?.length ?? 0,
    });
    await Promise.all([noted, keep({ ...run, log: shareLogs ? run.log : null })]);
    await letGo(run, log);
    await deliver();
  }

  async function hold(
    run: EndedRun,
    { why, ended }: { why: string; ended: string | null },
  ): Promise<"held" | "over"> {
    const { status, result, reason, log: printed } = run;
    await note("run ended", {
      status,
      ...(result ? { result_bytes: result.size, result_sha256: result.sha256 } : {}),
      log_bytes: printed?.length ?? 0,
    });
    const shared = shareLogs ? printed : null;
    const toHold = { dispatch, result, status, reason, ended, log: shared, why };
    const kept = await held.hold(toHold).catch((error) => {
      if (!(error instanceof UnkeptResultError)) throw error;
      log.error("A result that is held cannot be kept", { error });
      const lost = `${CHANGED.status}: ${CHANGED.reason} ${error.message}`;
      const end = { ...CHANGED, ...endWithoutWords(run.exit) };
      return held.hold({ ...toHold, ...end, ended: [ended, lost].filter(Boolean).join("; ") });
    });
    await letGo(run, log);
    if (kept === "full") {
      await fail("not allowed", "As many results wait for release at this node as may.");
      return "over";
    }
    const { code, method } = kept;
    await note("result held", { why, code, method, result_bytes: kept.size });
    return "held";
  }

  async function release(run: FinishedRun): Promise<void> {
    await keep(run);
    await held.drop(dispatch);
    await deliver();
  }

  async function fail(status: FinalStatus, reason: string): Promise<void> {
    const wasHeld = held.has(dispatch);
    await journal.finished(dispatch, { status, reason, result: null, log: null });
    if (wasHeld) await held.drop(dispatch);
    await deliver();
  }

  async function forget(): Promise<void> {
    const wasHeld = held.has(dispatch);
    await journal.closed(dispatch);
    if (wasHeld) await held.drop(dispatch);
  }

  async function deliver(): Promise<void> {
    try {
      const path = journal.reportPath(dispatch);
      const key = journal.open.get(attemptKey(dispatch))?.key;
      await note("report leaves", { ...await digestOfFile(path), ...(key ? { key } : {}) });
      const answer = await reporter.finish(dispatch, path);
      log.info("Reported", answer.ok ? {} : { refused: answer.reason });
    } catch (error) {
      if (!(error instanceof ReportRefusedError)) throw error;
      log.error("The result cannot be delivered", { reason: error.message });
      const hubSaysSo = !(error instanceof UndeliverableError);
      await reportFailure(`${hubSaysSo ? "The hub refused the result: " : ""}${error.message}`);
    }
    await journal.closed(dispatch);
  }

  /** Reports a failure in place of a result that the hub will never take. */
  async function reportFailure(reason: string): Promise<void> {
    await journal.finished(dispatch, { status: "failed", reason, result: null, log: null });
    await reporter.finish(dispatch, journal.reportPath(dispatch)).catch((error) => {
      if (!(error instanceof ReportRefusedError)) throw error;
    });
  }

  async function giveUp(reason: string): Promise<void> {
    const answer = await reporter.lost(dispatch, reason);
    log.warn("Reported as lost", answer.ok ? { reason } : { reason, refused: answer.reason });
    await journal.closed(dispatch);
  }

  return { conclude, hold, release, fail, deliver, giveUp, forget };
}

/** Puts an end on the disk; one whose result is not what the algorithm left is a failure. */
async function keepEnd(journal: Journal, dispatch: Dispatch, run: FinishedRun): Promise<void> {
  try {
    await journal.finished(dispatch, run);
  } catch (error) {
    if (!(error instanceof ChangedFileError)) throw error;
    await journal.finished(dispatch, { ...run, ...CHANGED });
  }
}

async function letGo(run: EndedRun, log: Logger): Promise<void> {
  await run.release?.().catch((error) => {
    // What is left of a run takes nothing from its result.
    log.error("Cannot remove what is left of a run", { error });
  });
}
