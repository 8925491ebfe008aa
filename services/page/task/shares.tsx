/**
 * How far the organizations are: a picture over time, and the same as a table; all of them, or
 * those with one status.
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import { Sign, toneOf, wordFor } from "../parts/status.tsx";
import { count, texts } from "../texts.ts";
import { type Family } from "./family.ts";
import { type Line, linesOf } from "./lines.ts";
import { Picture } from "./picture.tsx";
import { RunTable } from "./run_table.tsx";
import { useHubNow } from "./use_hub_now.ts";
import { spanOf } from "./time_span.ts";

const words = texts.task;

export function Shares(
  { family, openLog }: { family: Family; openLog: (runId: number) => void },
) {
  const [status, setStatus] = useState<string>();
  const [withQueue, setWithQueue] = useState(true);
  const [isTableOpen, setTableOpen] = useState(false);
  const allLines = useMemo(() => linesOf(family), [family]);
  const lines = useMemo(() => withStatus(allLines, status), [allLines, status]);
  const isMoving = [...family.runs.values()].some((run) => !isFinal(run.status));
  const now = useHubNow(isMoving);
  const span = spanOf(family, now, { withQueue });
  const runs = lines.flatMap((line) => line.is === "run" ? line.run : []);
  return (
    <section class="card">
      <h2>{words.time}</h2>
      <div class="buttons">
        <StatusChoice runs={family.runs} chosen={status} choose={setStatus} />
        <select
          class="span-choice"
          aria-label={words.time}
          value={withQueue ? "whole" : "running"}
          onChange={(event) => setWithQueue(event.currentTarget.value === "whole")}
        >
          <option value="whole">{words.wholeTime}</option>
          <option value="running">{words.runningTime}</option>
        </select>
      </div>
      <Picture lines={lines} family={family} span={span} now={now} openLog={openLog} />
      <details onToggle={(event) => setTableOpen(event.currentTarget.open)}>
        <summary>{words.asTable}</summary>
        {isTableOpen && <RunTable runs={runs} family={family} now={now} openLog={openLog} />}
      </details>
    </section>
  );
}

/** Also when its status is chosen no more than one line is left of what has none. */
function withStatus(lines: Line[], status: string | undefined): Line[] {
  if (status === undefined) return lines;
  return lines.flatMap((line): Line[] =>
    line.is === "run" && line.run.status === status ? [{ ...line, depth: 0 }] : []
  );
}

/** How many runs have each status; one of them can be chosen. */
function StatusChoice(
  { runs, chosen, choose }: {
    runs: ReadonlyMap<number, RunWithTask>;
    chosen: string | undefined;
    choose: (status: string | undefined) => void;
  },
) {
  const counts = new Map<string, number>();
  for (const { status } of runs.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return (
    <>
      <button
        type="button"
        aria-pressed={chosen === undefined}
        onClick={() => choose(undefined)}
      >
        {words.all} <span class="count">{count(runs.size)}</span>
      </button>
      {[...counts].map(([status, howMany]) => (
        <button
          key={status}
          type="button"
          aria-pressed={chosen === status}
          onClick={() => choose(status)}
        >
          <span class={`status ${toneOf(status)}`}>
            <Sign tone={toneOf(status)} /> {wordFor(status)}
          </span>{" "}
          <span class="count">{count(howMany)}</span>
        </button>
      ))}
    </>
  );
}
