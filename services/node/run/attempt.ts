/**
 * One attempt at one result, from the state the journal has it in to its end: policy, `start`, run, `finish`.
 *
 * Every step is on the disk before the next one begins, so that whatever happens to this process, the attempt is
 * executed at most once and its end is reported.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { FormatError } from "../encryption/formats.ts";
import { KeyError } from "../encryption/keys.ts";
import type { Seal } from "../encryption/sealed.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { FinalStatus } from "../../../shared/node_protocol/status.ts";
import { WrongKeyError } from "../hub/hub.ts";
import { ChangedFileError } from "../payload/pieces.ts";
import type { Decision } from "../policy/policy.ts";
import { AuditError, type AuditEvent, type AuditLog, digestOfFile } from "../record/audit_log.ts";
import type { FinishedRun } from "../record/finish_report.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { type Journal, type JournalEntry, JournalError } from "../record/journal.ts";
import { CannotStart } from "./cannot_start.ts";
import { otherCodeReason } from "./code.ts";
import { type Reporter, ReportRefusedError } from "./reporter.ts";
import type { Execution, Runtime } from "./runtime.ts";
import { type Hold, holdSlot, type Slots } from "./slots.ts";

/** Why an attempt is to end before its time: the reason with which its signal is aborted. */
export class Interruption extends Error {
  constructor(readonly kind: "killed" | "unwanted" | "stopping", message: string) {
    super(message);
    this.name = "Interruption";
  }
}

export interface AttemptTools {
  /** What the owner's rules say of an attempt. */
  admit: (dispatch: Dispatch, signal: AbortSignal) => Promise<Decision>;
  journal: Journal;
  reporter: Reporter;
  slots: Slots;
  runtime: Runtime;
  audit: AuditLog;
  /** Whether what the algorithm prints leaves the site. */
  shareLogs: boolean;
  /** What encrypts the result of an attempt; `null` where nothing is encrypted. */
  sealOf: (dispatch: Dispatch) => Promise<Seal | null>;
  log: Logger;
}

/** What is running already when the agent starts asks nobody for a place. */
const NO_SLOT: Hold = { without: (work) => work(), release() {} };

/**
 * Brings an attempt to its end, or as far as `signal` lets it; the journal has what is left then.
 * Rejects when the agent as a whole cannot go on, or when it stops in the middle of a report.
 */
export async function carryOut(
  { dispatch, state }: JournalEntry,
  { admit, journal, reporter, slots, runtime, audit, shareLogs, sealOf, log }: AttemptTools,
  signal: AbortSignal,
): Promise<void> {
  let seal: Seal | null = null;
  if (state === "finished") return await deliver();
  try {
    if (state === "started") {
      const again = await runtime.reattach?.(dispatch, signal);
      if (!again) return await giveUp("the node's agent ended while it ran");
      log.info("Taken up again");
      // Its end first: however slow the hub is about a key, what runs already can be killed meanwhile.
      await conclude(await sealed(await again(NO_SLOT)));
    } else {
      note("task received", whatIsAsked(dispatch));
      const decision = await admit(dispatch, signal);
      if (!decision.allowed) throw new CannotStart(decision.reason, "not allowed");
      const hold = await holdSlot(slots, signal);
      const run = await compute(hold).finally(hold.release);
      if (!run) return await journal.closed(dispatch);
      await conclude(run);
    }
  } catch (error) {
    if (error instanceof JournalError || error instanceof AuditError) throw error;
    if (error instanceof WrongKeyError) throw error;
    if (signal.aborted) return await interrupted(signal.reason);
    if (error instanceof KeyError || error instanceof FormatError) {
      return await finish("start failed", error.message);
    }
    if (error instanceof CannotStart) return await finish(error.status, error.message);
    log.error("The run failed in a way that nobody expected", { error });
    return await finish("unknown error", "The node failed to run this; its own log says why.");
  }
  await deliver();

  /** Resolves once it is on the disk, and with it everything noted before. */
  function note(event: AuditEvent, details: Record<string, unknown> = {}): Promise<void> {
    const { task_id, result_id, attempt } = dispatch;
    return audit.record(event, { task_id, result_id, attempt, ...details });
  }

  /** Runs the algorithm; `undefined` when the hub no longer wants the attempt. */
  async function compute(hold: Hold): Promise<Execution | undefined> {
    const { code: known, specify } = runtime.prepare(dispatch, signal, hold);
    const { result_id, attempt, image } = dispatch;
    const code = await orAbort(known, signal);
    const answer = await reporter.start({ result_id, attempt, code }, signal);
    if (!answer.ok && answer.reason === "other code") {
      const { job_code } = answer;
      const reason = otherCodeReason(image, { own: code, job: job_code });
      note("refused", { reason, code, job_code });
      throw new CannotStart(reason);
    }
    if (!answer.ok) {
      log.info("The hub no longer wants this attempt", { reason: answer.reason });
      return undefined;
    }
    const { execute, imageId: image_id } = await specify(answer.input);
    // Before anything is computed that could not be sent.
    seal = await orAbort(sealOf(dispatch), signal);
    signal.throwIfAborted();
    await Promise.all([journal.started(dispatch), note("run started", { code, image_id })]);
    return await execute(hold);
  }

  /** Gets what encrypts the result of a run that has ended; where that cannot be had, nothing of the result is sent. */
  async function sealed(run: Execution): Promise<Execution> {
    if (run.result === null) return run;
    try {
      seal = await sealOf(dispatch);
      return run;
    } catch (error) {
      if (!(error instanceof KeyError || error instanceof FormatError)) throw error;
      return { ...run, status: "failed", result: null, reason: error.message };
    }
  }

  async function conclude(run: Execution): Promise<void> {
    const { status, result, log } = run;
    await note("run ended", {
      status,
      ...(result ? { result_bytes: result.size, result_sha256: result.sha256 } : {}),
      log_bytes: log?.length ?? 0,
    });
    await keep({ ...run, log: shareLogs ? log : null, seal });
    await run.release?.().catch(couldNotRelease);
  }

  async function keep(run: FinishedRun): Promise<void> {
    try {
      await journal.finished(dispatch, run);
    } catch (error) {
      if (!(error instanceof ChangedFileError)) throw error;
      const reason = "The result was changed after the algorithm had ended.";
      await journal.finished(dispatch, { ...run, status: "crashed", result: null, reason });
    }
  }

  /** What is left of a run takes nothing from its result. */
  function couldNotRelease(error: unknown): void {
    log.error("Cannot remove what is left of a run", { error });
  }

  async function interrupted({ kind, message }: Interruption): Promise<void> {
    log.info("Interrupted", { reason: message });
    if (kind === "killed") await finish("killed by user", message);
    else if (kind === "unwanted") await journal.closed(dispatch);
    else if (journal.open.get(attemptKey(dispatch))?.state === "started") await giveUp(message);
  }

  /** Ends the attempt without a result. */
  async function finish(status: FinalStatus, reason: string): Promise<void> {
    await journal.finished(dispatch, { status, reason, result: null, log: null });
    await deliver();
  }

  async function deliver(): Promise<void> {
    try {
      const path = journal.reportPath(dispatch);
      await note("report leaves", await digestOfFile(path));
      const answer = await reporter.finish(dispatch, path);
      log.info("Reported", answer.ok ? {} : { refused: answer.reason });
    } catch (error) {
      if (!(error instanceof ReportRefusedError)) throw error;
      log.error("The hub refuses the result", { reason: error.message });
      await failInstead(`The hub refused the result: ${error.message}`);
    }
    await journal.closed(dispatch);
  }

  /** Reports a failure in place of a result that the hub will never take. */
  async function failInstead(reason: string): Promise<void> {
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
}

function whatIsAsked(dispatch: Dispatch): Record<string, unknown> {
  const { run_id, parent_id, image, init_user_id, init_org_id, input_sha256, databases } = dispatch;
  const { init_username: username, algorithm_store_url: store } = dispatch;
  return {
    run_id,
    parent_id,
    image,
    init_user_id,
    ...(username ? { init_username: username } : {}),
    init_org_id,
    ...(store ? { algorithm_store_url: store } : {}),
    input_sha256,
    databases: databases.map(({ label }) => label),
  };
}
