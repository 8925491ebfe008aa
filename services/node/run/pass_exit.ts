/**
 * The passage of an ended run through the exit: what its result, its reason and its log become by
 * the rules of the site, before anything of it is kept for the hub.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type Decided, type Exit, releasedPath } from "../disclosure/exit.ts";
import { endWithoutWords, keepWords } from "../disclosure/words.ts";
import type { ContentFile } from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import type { EndedRun } from "./ending.ts";
import { KILLED } from "./outcome.ts";

export interface PassExitTools {
  audit: AuditLog;
  /** Where words are kept that do not leave. */
  dataFolder: string;
  shareLogs: boolean;
  log: Logger;
}

/** The run as it may leave; `held` where it has to wait for a person. */
export interface Passed {
  run: EndedRun;
  /** Why, and what ended the run, for the owner alone. */
  held?: { why: string; ended: string | null };
}

/** Rejects with an `AuditError` when the decision cannot be recorded. */
export async function passExit(
  dispatch: Dispatch,
  given: EndedRun,
  { audit, dataFolder, shareLogs, log }: PassExitTools,
): Promise<Passed> {
  const { exit } = given;
  if (!exit.rules) return { run: given };
  const run = withoutWords(given);
  const unsaid = [given.said, run.reason === given.reason ? null : given.reason, given.log]
    .filter(Boolean).join("\n");
  if (!shareLogs && unsaid !== "") {
    await keepWords(dataFolder, attemptKey(dispatch), unsaid).catch((error) => {
      log.warn("Cannot keep what an algorithm said", { error });
    });
  }
  // Who killed it knows that; whatever else comes of it could be an answer.
  if (exit.waits !== undefined && run.status !== KILLED.status) {
    const decided = { is: "held", reason: exit.waits } as const;
    await auditOfAttempt(audit, dispatch)("disclosure", auditOf(decided, exit));
    const ended = given.status === "completed"
      ? null
      : `${given.status}: ${given.said ?? given.reason}`;
    return { run, held: { why: exit.waits, ended } };
  }
  if (run.result === null) return { run };
  const { result } = run;
  const decided = await exit.decide(result).catch((error): Decided => {
    log.error("Cannot hold a result against the rules on what may leave", { error });
    return {
      is: "refused",
      reason:
        "This site could not hold the result against its rules on what may leave; the node's " +
        "own log says why.",
    };
  });
  await auditOfAttempt(audit, dispatch)("disclosure", auditOf(decided, exit));
  if (decided.is === "released") return { run: leaving(run, decided.result) };
  await removeMade(result);
  return {
    run: {
      ...run,
      result: null,
      ...(run.status === "completed" ? { status: "not allowed", reason: decided.reason } : {}),
    },
  };
}

function withoutWords(run: EndedRun): EndedRun {
  const { exit, status } = run;
  if (status === "completed" || status === KILLED.status) return run;
  return { ...run, ...endWithoutWords(exit) };
}

function leaving(run: EndedRun, result: ContentFile): EndedRun {
  const own = run.result!;
  return {
    ...run,
    result,
    async release() {
      await removeMade(own);
      await run.release?.();
    },
  };
}

/** What was made of a result on the way out. */
async function removeMade(own: ContentFile): Promise<void> {
  await Deno.remove(releasedPath(own)).catch(() => {});
}

/** Numbers of values, never a value. */
function auditOf(
  decided: Decided | { is: "held"; reason: string; counted?: undefined },
  { rules, standing, access }: Exit,
): Record<string, unknown> {
  return {
    decision: decided.is,
    standing,
    access,
    rules,
    ...(decided.is === "released" ? { withheld: decided.withheld } : { reason: decided.reason }),
    ...(decided.counted
      ? { values_before: decided.counted.before, values_after: decided.counted.after }
      : {}),
  };
}
