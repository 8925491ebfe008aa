import type { RunWithTask } from "../../../shared/contract/task.ts";
import { named } from "../parts/visible.ts";
import { organizationNames } from "../names/names.ts";
import { Show, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { StatusMark } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { client } from "../session/session.ts";
import { texts } from "../texts.ts";
import { type Family, firstFailure } from "./family.ts";
import { endOf } from "./log_text.ts";

const words = texts.task;
/** Of the log's end, which tells the reason. */
const REASON = { lines: 6, characters: 1200 };

/** Where it failed first, and why. */
export function FirstFailure(
  { family, openLog }: { family: Family; openLog: (runId: number) => void },
) {
  const run = firstFailure(family);
  if (!run) return null;
  const subtask = run.task.id === family.task.id ? undefined : family.tasks.get(run.task.id);
  return (
    <section class="notice bad" aria-label={words.firstFailure}>
      <h2>
        {words.firstFailure} {words.at} <Plain text={organizationNames.of(run.organization.id)} />
      </h2>
      <p>
        <StatusMark status={run.status} />, <When at={run.finished_at} />
        {subtask && (
          <>
            , <Plain text={words.subtask(named(subtask.name, String(subtask.id)))} />
          </>
        )}
      </p>
      <Reason key={`${run.id} ${run.attempt} ${run.status}`} run={run} />
      <button type="button" onClick={() => openLog(run.id)}>{words.wholeLog}</button>
    </section>
  );
}

function Reason({ run }: { run: RunWithTask }) {
  const asked = useAsked(
    (signal) => client.runs.get(run.id, { payload: "log", signal }),
    [run.id],
  );
  return (
    <Show asked={asked}>
      {({ log }) => {
        const reason = endOf(log, REASON);
        return reason
          ? (
            <pre class="reason">
              <Plain text={reason} lines />
            </pre>
          )
          : <p>{words.noReason}</p>;
      }}
    </Show>
  );
}
