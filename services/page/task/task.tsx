/**
 * One task: what was asked, by whom, how far each organization is with it, and what came of it.
 * @module
 */
import { useMemo } from "preact/hooks";
import { named } from "../parts/visible.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import { useLive } from "../live/use_live.ts";
import { Show } from "../parts/loading.tsx";
import { Heading } from "../parts/heading.tsx";
import { Plain } from "../parts/plain.tsx";
import { StatusMark } from "../parts/status.tsx";
import { Results } from "../results/results.tsx";
import { go, place, to, withQuery } from "../routes.ts";
import type { ScreenProps } from "../screens.ts";
import { may, me } from "../session/session.ts";
import { texts } from "../texts.ts";
import { askForFamily } from "./ask.ts";
import { Facts } from "./facts.tsx";
import { type Family, foldFamily, isFamilyStale, ownRuns } from "./family.ts";
import { FirstFailure } from "./first_failure.tsx";
import { Kill } from "./kill.tsx";
import { LogPanel } from "./log_panel.tsx";
import { Shares } from "./shares.tsx";
import { Waiting } from "./waiting.tsx";

const words = texts.task;
/** Answers about a thousand runs are not asked for with every change. */
const PAUSE_MS = 3000;

export function Screen({ params }: ScreenProps) {
  const id = Number(params.id);
  const asked = useLive<Family>({
    ask: (signal) => askForFamily(id, signal),
    fold: foldFamily,
    isStale: isFamilyStale,
    pauseMs: PAUSE_MS,
    inputs: [id],
  });
  return (
    <>
      {!asked.value && <Heading text={texts.names.task(id)} />}
      <Show asked={asked}>
        {(family) => <TaskScreen family={family} again={asked.again} />}
      </Show>
    </>
  );
}

function TaskScreen({ family, again }: { family: Family; again: () => void }) {
  const { task } = family;
  const logId = Number(place.value.query.get("log") ?? NaN);
  const logged = family.runs.get(logId);
  const own = useMemo(() => ownRuns(family), [family]);
  return (
    <>
      <header>
        <h1>
          <Plain text={named(task.name, texts.names.task(task.id))} />
        </h1>
        <StatusMark status={task.status} />
        <div class="buttons">
          {may("task:CREATE") && task.parent === null && (
            <a class="button" href={`${to("new-task")}?from=${task.id}`}>{words.repeat}</a>
          )}
          {mayKill(family) && <Kill task={task} killed={again} />}
        </div>
      </header>
      <div role="status">
        {family.isDeleted && <p class="notice warn">{words.gone}</p>}
      </div>
      <FirstFailure family={family} openLog={openLog} />
      <Waiting family={family} />
      {may("run:VIEW") ? <Shares family={family} openLog={openLog} /> : <p>{words.noRuns}</p>}
      {logged && (
        <LogPanel
          key={logged.id}
          run={logged}
          close={() => go(withQuery({}), { replace: true })}
        />
      )}
      {may("run:VIEW") && <Results task={task} runs={own} />}
      <Facts family={family} />
    </>
  );
}

function openLog(runId: number): void {
  go(withQuery({ log: runId }), { replace: true });
}

/** As the hub decides it: who created it may, and who may send events. */
function mayKill({ task, runs }: Family): boolean {
  const who = me.value as { id: number };
  const isOpen = runs.size > 0
    ? [...runs.values()].some((run) => !isFinal(run.status))
    : !isFinal(task.status);
  return isOpen && (task.init_user.id === who.id || may("event:SEND"));
}
