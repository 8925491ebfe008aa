/**
 * Organizations × time: when each was queued, ran, waited for release. Only the lines in sight are
 * drawn.
 * @module
 */
import { organizationNames } from "../names/names.ts";
import { Plain } from "../parts/plain.tsx";
import { durationText, momentOf } from "../parts/moment.ts";
import { Sign, toneOf, wordFor } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { named, visible } from "../parts/visible.ts";
import { LineWindow } from "../parts/window.tsx";
import { to } from "../routes.ts";
import { texts } from "../texts.ts";
import type { Family } from "./family.ts";
import type { Line } from "./lines.ts";
import { stretchesOf, ticksOf, type TimeSpan } from "./time_span.ts";

const words = texts.task;
const LINE_HEIGHT = 30;

interface PictureProps {
  lines: readonly Line[];
  family: Family;
  span: TimeSpan;
  now: number;
  openLog: (runId: number) => void;
}

export function Picture({ lines, family, span, now, openLog }: PictureProps) {
  return (
    <div class="picture">
      <Axis span={span} />
      <LineWindow count={lines.length} lineHeight={LINE_HEIGHT} label={words.time}>
        {(index, top) => {
          const line = lines[index]!;
          return line.is === "task"
            ? <TaskLine key={`task ${line.task.id}`} line={line} top={top} />
            : (
              <RunLine
                key={`run ${line.run.id}`}
                line={line}
                top={top}
                span={span}
                now={now}
                family={family}
                openLog={openLog}
              />
            );
        }}
      </LineWindow>
      <p class="legend">
        {(["queued", "running", "held", "earlier"] as const).map((is) => (
          <span key={is}>
            <span class={`swatch ${is}`} aria-hidden="true" /> {words[is]}
          </span>
        ))}
        <span>{words.timeHint}</span>
      </p>
    </div>
  );
}

function Axis({ span }: { span: TimeSpan }) {
  return (
    <div class="picture-line axis">
      <span class="who">
        {words.since} <When at={new Date(span.from).toISOString()} />
      </span>
      <span class="lane" aria-hidden="true">
        {ticksOf(span).map(({ at, text }) => (
          <span key={text} class="tick" style={{ insetInlineStart: `${100 * at}%` }}>{text}</span>
        ))}
      </span>
      <span class="how" />
    </div>
  );
}

function place(top: number, depth: number) {
  return { transform: `translateY(${top}px)`, "--depth": String(Math.min(depth, 4)) };
}

function TaskLine({ line: { task, depth }, top }: {
  line: Extract<Line, { is: "task" }>;
  top: number;
}) {
  return (
    <div class="picture-line subtask" style={place(top, depth)}>
      <a class="who" href={to("tasks", task.id)}>
        <Plain text={words.subtask(named(task.name, String(task.id)))} />
      </a>
    </div>
  );
}

function RunLine({ line: { run, depth }, top, span, now, family, openLog }: {
  line: Extract<Line, { is: "run" }>;
  top: number;
  span: TimeSpan;
  now: number;
  family: Family;
  openLog: (runId: number) => void;
}) {
  const tone = toneOf(run.status);
  const name = organizationNames.of(run.organization.id);
  const earlier = family.earlier.get(run.id) ?? [];
  const took = run.started_at
    ? (run.finished_at ? momentOf(run.finished_at) : now) - momentOf(run.started_at)
    : undefined;
  return (
    <div class={`picture-line run ${tone}`} style={place(top, depth)}>
      <button
        type="button"
        class="plain who"
        title={visible(name)}
        onClick={() => openLog(run.id)}
      >
        <Plain text={name} />
        {run.attempt > 1 && <span class="attempt">{words.attempt(run.attempt)}</span>}
      </button>
      <span class="lane" aria-hidden="true">
        {stretchesOf(run, { span, now, earlier }).map(({ is, left, width }, index) => (
          <span
            key={index}
            class={`stretch ${is}`}
            title={words[is]}
            style={{ insetInlineStart: `${100 * left}%`, width: `${100 * width}%` }}
          />
        ))}
      </span>
      <span class={`how status ${tone}`} title={wordFor(run.status)}>
        <Sign tone={tone} />
        <span class="word">{run.held_since ? words.held : wordFor(run.status)}</span>
        {took !== undefined && <span class="took">{durationText(took)}</span>}
      </span>
    </div>
  );
}
