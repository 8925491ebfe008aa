/**
 * One attempt at one result, from the state the journal has it in to its end: the owner's rules, a
 * slot, `start`, the run, and its end (`ending.ts`).
 *
 * Every step is on the disk before the next one begins, so that whatever happens to this process,
 * the attempt is executed at most once and its end is reported.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { noTracer, type Tracer } from "../../../shared/tracing/tracer.ts";
import { FormatError } from "../encryption/formats.ts";
import { KeyError } from "../encryption/keys.ts";
import type { Seal } from "../../../shared/payload/form.ts";
import type { Origin } from "../encryption/sealed.ts";
import { WrongKeyError } from "../hub/error.ts";
import type { Decision } from "../policy/policy.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { AuditError, auditOfAttempt } from "../record/audit_log.ts";
import { type JournalEntry, JournalError } from "../record/journal.ts";
import { CannotStart } from "./cannot_start.ts";
import { otherCodeReason, otherImageWarning } from "./code.ts";
import { createEnding, type EndedRun, type Ending, type EndingOptions } from "./ending.ts";
import { Interruption } from "./interruption.ts";
import { seeReleased } from "./release.ts";
import type { Runtime } from "./runtime.ts";
import { passExit } from "./pass_exit.ts";
import { type Hold, holdSlot, type Slots } from "./slots.ts";
import { UNBOUNDED, type WaitingPlaces } from "./waiting_places.ts";

export interface AttemptTools extends EndingOptions {
  /** What the owner's rules say of an attempt. */
  admit: (dispatch: Dispatch, signal: AbortSignal) => Promise<Decision>;
  /** The data folder, where words are kept that do not leave. */
  dataFolder: string;
  slots: Slots;
  /** Bounds the runs that wait for subtasks; any number may unless given. */
  places?: WaitingPlaces;
  runtime: Runtime;
  tracer?: Tracer;
  /** What encrypts the result of an attempt on this input; `null` where nothing is encrypted. */
  sealOf: (dispatch: Dispatch, origin: Origin | null | undefined) => Promise<Seal | null>;
}

/** What is running already when the agent starts asks nobody for a slot. */
const NO_SLOT: Hold = {
  without: (work) => work(),
  whileWaiting: (work) => work(),
  release() {},
};

/**
 * Brings an attempt to its end, or as far as `signal` lets it, which is aborted with an
 * {@linkcode Interruption}; the journal has what is left then. Rejects when the agent as a whole
 * cannot go on, or when it stops in the middle of a report.
 */
export async function carryOut(
  { dispatch, state, input }: JournalEntry,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<void> {
  const ending = createEnding(dispatch, tools);
  if (state === "finished") return await ending.deliver();
  if (state === "held") return await waitForRelease(dispatch, { ending, ...tools }, signal);
  let run: EndedRun | undefined;
  try {
    if (state === "started") {
      run = await takeUp({ dispatch, input }, tools, signal);
      if (!run) return await ending.giveUp("the node's agent ended while it ran");
    } else {
      run = await begin(dispatch, tools, signal);
      if (!run) return await ending.forget();
    }
  } catch (error) {
    if (endsTheAgent(error)) throw error;
    if (signal.aborted) return await endInterrupted(signal.reason, dispatch, { ending, ...tools });
    return await endFailed(error, { ending, ...tools });
  }
  const passed = await passExit(dispatch, run, tools);
  if (passed.held === undefined) return await ending.conclude(passed.run);
  if (await ending.hold(passed.run, passed.held) === "over") return;
  await waitForRelease(dispatch, { ending, ...tools }, signal);
}

/** What a person decides about a held result is done; no slot is taken, and no time limit runs. */
async function waitForRelease(
  dispatch: Dispatch,
  tools: AttemptTools & { ending: Ending },
  signal: AbortSignal,
): Promise<void> {
  try {
    await seeReleased(dispatch, tools, signal);
  } catch (error) {
    if (endsTheAgent(error)) throw error;
    if (error instanceof Interruption) return await endInterrupted(error, dispatch, tools);
    // In the middle of its report the agent stops.
    if (!tools.held.has(dispatch)) throw error;
    await endFailed(error, tools);
  }
}

/**
 * A new run: asks the rules, waits for a slot, computes. `undefined` when the hub no longer wants
 * it.
 */
async function begin(
  dispatch: Dispatch,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<EndedRun | undefined> {
  const { admit, audit, slots, places = UNBOUNDED } = tools;
  // On the disk with the start at the latest, because records keep their order.
  void auditOfAttempt(audit, dispatch)("task received", whatIsAsked(dispatch));
  const decision = await admit(dispatch, signal);
  if (!decision.allowed) throw new CannotStart(decision.reason, "not allowed");
  const isSubtask = dispatch.parent_id !== null;
  // First, for whoever waits for a place must not keep others from a slot.
  const leave = isSubtask ? undefined : await places.take(signal);
  try {
    const hold = await holdSlot(slots, signal, isSubtask ? places.takeNow : undefined);
    return await compute(dispatch, tools, { signal, hold }).finally(hold.release);
  } finally {
    leave?.();
  }
}

/**
 * Runs the algorithm. The hub is told of the start only when the run has its slot and its image: a
 * task that still waits for them is not active.
 */
async function compute(
  dispatch: Dispatch,
  { audit, journal, log, reporter, runtime, sealOf, tracer = noTracer }: AttemptTools,
  { signal, hold }: { signal: AbortSignal; hold: Hold },
): Promise<EndedRun | undefined> {
  const note = auditOfAttempt(audit, dispatch);
  const prepare = await runtime.fetch(dispatch, signal, hold);
  const { code: known, byTag = false, specify } = prepare();
  const { result_id, attempt, image } = dispatch;
  const code = await orAbort(known, signal);
  const answer = await reporter.start({ result_id, attempt, code, by_tag: byTag }, signal);
  const { job_code } = answer;
  if (!answer.ok && answer.reason === "other code") {
    const reason = otherCodeReason(image, { own: code, job: job_code });
    void note("refused", { reason, code, job_code });
    throw new CannotStart(reason);
  }
  if (!answer.ok) {
    log.info("The hub no longer wants this attempt", { reason: answer.reason });
    return undefined;
  }
  const { execute, exit, imageId: image_id, origin, method } = await specify(answer.input);
  // Before anything is computed that could not be sent.
  const seal = await orAbort(sealOf(dispatch, origin), signal);
  signal.throwIfAborted();
  const noted = Promise.all([
    journal.started(dispatch, origin ?? undefined, { digest: code, method }),
    note("run started", { code, image_id, job_code }),
  ]);
  // It is waited for below, whatever becomes of the run.
  noted.catch(() => {});
  const warning = job_code === undefined
    ? undefined
    : otherImageWarning(image, { own: code, job: job_code });
  if (warning) log.warn(warning);
  const where = image.startsWith("deno:") ? "sandbox" : "container";
  const run = await tracer.span(where, { attributes: { result_id, attempt } }, async (span) => {
    const run = await execute(hold, noted).finally(() => noted);
    span.set({ status: run.status });
    return run;
  });
  return warning === undefined
    ? { ...run, seal, exit }
    : { ...run, log: `[${warning}]\n${run.log ?? ""}`, seal, exit };
}

/** A run that outlived an earlier agent; `undefined` when there is none. */
async function takeUp(
  { dispatch, input }: Pick<JournalEntry, "dispatch" | "input">,
  { runtime, sealOf, log, places = UNBOUNDED }: AttemptTools,
  signal: AbortSignal,
): Promise<EndedRun | undefined> {
  const goOn = await runtime.reattach?.(dispatch, signal);
  if (!goOn) return undefined;
  log.info("Taken up again");
  // Its end first: however slow the hub is about a key, what runs already can be killed meanwhile.
  const leave = dispatch.parent_id === null ? places.occupy() : undefined;
  const run = await goOn(NO_SLOT).finally(() => leave?.());
  const exit = runtime.exitOf!(dispatch);
  if (run.result === null) return { ...run, seal: null, exit };
  try {
    return { ...run, seal: await sealOf(dispatch, input), exit };
  } catch (error) {
    if (!isAboutKeys(error)) throw error;
    // Nothing of a result is sent that cannot be encrypted.
    return { ...run, status: "failed", result: null, reason: error.message, seal: null, exit };
  }
}

type EndTools = Pick<AttemptTools, "audit" | "held" | "journal" | "log" | "runtime"> & {
  ending: Ending;
};

async function endInterrupted(
  { kind, message }: Interruption,
  dispatch: Dispatch,
  { audit, ending, held, journal, log, runtime }: EndTools,
): Promise<void> {
  log.info("Interrupted", { reason: message });
  if (held.has(dispatch) && (kind === "killed" || kind === "unwanted")) {
    await auditOfAttempt(audit, dispatch)("held result dropped", { reason: message });
  }
  if (kind === "killed") return await ending.fail("killed by user", message);
  if (kind === "unwanted") return await ending.forget();
  // What has not begun is done by the next agent.
  if (journal.open.get(attemptKey(dispatch))?.state !== "started") return;
  if (kind === "handed over" && runtime.reattach) return log.info("Left to the next agent");
  // The hub must know that it is lost.
  await ending.giveUp(message);
}

async function endFailed(
  error: unknown,
  { ending, log }: Pick<EndTools, "ending" | "log">,
): Promise<void> {
  if (error instanceof CannotStart) return await ending.fail(error.status, error.message);
  if (isAboutKeys(error)) return await ending.fail("start failed", error.message);
  log.error("The run failed in a way that nobody expected", { error });
  await ending.fail("unknown error", "The node failed to run this; its own log says why.");
}

function endsTheAgent(error: unknown): boolean {
  return error instanceof JournalError || error instanceof AuditError ||
    error instanceof WrongKeyError;
}

function isAboutKeys(error: unknown): error is KeyError | FormatError {
  return error instanceof KeyError || error instanceof FormatError;
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
