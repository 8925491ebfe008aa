/**
 * The log of a run, as it grows. It stays at its end as long as the reader does.
 * @module
 */
import type { ComponentChild } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import { useLive } from "../live/use_live.ts";
import { organizationNames } from "../names/names.ts";
import { Show } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { client } from "../session/session.ts";
import { texts } from "../texts.ts";
import { logOf, type LogText, unknownLines, withLines } from "./log_text.ts";

const words = texts.task;
/** So near to its end the reader counts as being there. */
const NEAR_PX = 12;
/** A browser may go on with the reader's last scrolling up for so long. */
const SETTLE_MS = 400;

interface RunLog {
  log: LogText;
  /** The hub's answer, until the first events after it are told from what it has already. */
  answer: string | null | undefined;
}

export function LogPanel({ run, close }: { run: RunWithTask; close: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    panel.current?.focus();
    panel.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const asked = useLive<RunLog>({
    async ask(signal) {
      const { log } = await client.runs.get(run.id, { payload: "log", signal });
      return { log: logOf(log), answer: log };
    },
    fold: (log, events) => foldLog(log, events, run.id),
    // At its end the hub puts the whole log in place of the pieces.
    inputs: [run.id, run.attempt, isFinal(run.status)],
  });
  return (
    <section class="card log-panel" ref={panel} tabIndex={-1} aria-labelledby="log-title">
      <header class="buttons">
        <h2 id="log-title">
          {words.logOf} <Plain text={organizationNames.of(run.organization.id)} />
        </h2>
        <button type="button" onClick={close}>{words.closeLog}</button>
      </header>
      <Show asked={asked}>
        {({ log }) =>
          log.lines === 0
            ? <p>{isFinal(run.status) ? words.noLog : words.emptyLog}</p>
            : <LogBox log={log} />}
      </Show>
    </section>
  );
}

function foldLog(shown: RunLog, events: readonly WatchedEvent[], runId: number): RunLog {
  const lines = events.flatMap((event) =>
    event.name === "result.log" && event.data.result_id === runId ? event.data.lines : []
  );
  if (lines.length === 0) return shown;
  const fresh = shown.answer === undefined ? lines : unknownLines(shown.answer, lines);
  return { log: withLines(shown.log, fresh), answer: undefined };
}

function LogBox({ log }: { log: LogText }) {
  const box = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const settledAt = useRef(0);
  const [linesRead, setLinesRead] = useState(log.lines);

  useLayoutEffect(() => {
    const element = box.current!;
    if (isFollowing) element.scrollTop = element.scrollHeight;
  }, [log, isFollowing]);

  function goOn(): void {
    settledAt.current = performance.now() + SETTLE_MS;
    setFollowing(true);
  }

  function scrolled(): void {
    if (performance.now() < settledAt.current) {
      box.current!.scrollTop = box.current!.scrollHeight;
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - NEAR_PX;
    if (isAtEnd !== isFollowing) {
      setFollowing(isAtEnd);
      setLinesRead(log.lines);
    }
  }

  const fresh = log.lines - linesRead;
  return (
    <>
      <div
        class="log-box"
        ref={box}
        onScroll={scrolled}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={words.log}
      >
        {log.chunks.map((text, index) => <Chunk key={index} text={text} />)}
      </div>
      {!isFollowing && (
        <button type="button" class="go-on" onClick={goOn}>
          {fresh > 0 ? words.goOnNew(fresh) : words.goOn}
        </button>
      )}
    </>
  );
}

/** Drawn again only when its text is another one. */
function Chunk({ text }: { text: string }) {
  const drawn = useRef<{ text: string; node: ComponentChild }>(undefined);
  if (drawn.current?.text !== text) {
    drawn.current = {
      text,
      node: <Plain text={text} lines />,
    };
  }
  return <>{drawn.current.node}</>;
}
