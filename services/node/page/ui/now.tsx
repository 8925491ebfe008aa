/**
 * What the agent has in hand, and what its owner should know at once.
 * @module
 */
import { Plain } from "../../../page/parts/plain.tsx";
import { Show } from "../../../page/parts/loading.tsx";
import type { Tone } from "../../../page/parts/status.tsx";
import { When } from "../../../page/parts/time.tsx";
import { to } from "../../../page/routes.ts";
import { type OpenRun, type Overview, overview } from "../contract.ts";
import { AskedBy, Mark, RunName, useFresh, WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.now;

export function NowScreen() {
  const asked = useFresh((signal) => ask("overview", overview, { signal }));
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <Show asked={asked}>
        {(now) => (
          <>
            <Notices now={now} />
            <section class="card">
              <OpenRuns now={now} />
            </section>
            <section class="card">
              <h2>{words.facts}</h2>
              <Facts now={now} />
            </section>
          </>
        )}
      </Show>
    </>
  );
}

function Notices({ now: { runs, record, waits_for, trouble, connected } }: { now: Overview }) {
  const held = runs.filter(({ state }) => state === "held").length;
  return (
    <>
      {record?.alarms.map(({ service, kind, problem }) => (
        <div key={service + kind} class="notice bad">
          <p>
            <strong>{words.alarm}</strong> ({service}, {kind}): <Plain text={problem} />
          </p>
          <p>{words.alarmAdvice}</p>
        </div>
      ))}
      {waits_for !== null && (
        <div class="notice warn">
          <p>
            {words.waits} {waits_for}
            {trouble && (
              <>
                , {words.because}: <Plain text={trouble.reason} />
              </>
            )}
          </p>
        </div>
      )}
      {waits_for === null && !connected && (
        <div class="notice warn">
          <p>
            {words.cut}
            {trouble && (
              <>
                : <Plain text={trouble.reason} />
              </>
            )}
          </p>
        </div>
      )}
      {/* Told once each time the number changes. */}
      <div role="status">
        {held > 0 && (
          <div class="notice">
            <p>
              {held === 1 ? words.heldOne : words.heldMany(held)}{" "}
              <a href={to("held")}>{words.toHeld}</a>
            </p>
          </div>
        )}
      </div>
    </>
  );
}

const TONES: Record<OpenRun["state"], Tone> = {
  accepted: "waiting",
  started: "running",
  finished: "good",
  held: "warn",
};

function OpenRuns({ now: { runs, max_runs } }: { now: Overview }) {
  const { run } = texts;
  if (runs.length === 0) {
    return (
      <>
        <h2>{words.runs}</h2>
        <p>{words.nothing}</p>
      </>
    );
  }
  const running = runs.filter(({ state }) => state === "started").length;
  const caption = `${words.runs}: ${words.runsOf(running, max_runs)}`;
  const columns = [run.state, run.run, run.askedBy, run.algorithm, run.databases];
  return (
    <WideTable caption={caption} columns={columns}>
      {runs.map((one) => (
        <tr key={`${one.result_id}-${one.attempt}`}>
          <td>
            <Mark tone={TONES[one.state]}>{run.states[one.state]}</Mark>
          </td>
          <td>
            <RunName {...one} />
            {one.parent_id !== null && <span class="quiet">{run.parent(one.parent_id)}</span>}
          </td>
          <td>
            <AskedBy {...one} />
          </td>
          <td>
            <Plain text={one.image} />
            {one.method !== null && (
              <span class="quiet">
                <Plain text={one.method} />
              </span>
            )}
          </td>
          <td>
            {one.databases.length > 0 ? <Plain text={one.databases.join(", ")} /> : run.none}
          </td>
        </tr>
      ))}
    </WideTable>
  );
}

function Facts({ now }: { now: Overview }) {
  const { node, record } = now;
  return (
    <dl class="facts">
      <dt>{words.node}</dt>
      <dd>
        {node
          ? (
            <>
              <Plain text={node.name} /> ({node.id})
            </>
          )
          : words.notKnown}
      </dd>
      <dt>{words.hub}</dt>
      <dd>
        {now.hub}{" "}
        <Mark tone={now.connected ? "good" : "bad"}>
          {now.connected ? words.connected : words.notConnected}
        </Mark>
      </dd>
      <dt>{words.lastContact}</dt>
      <dd>
        <When at={now.last_contact} />
      </dd>
      {record?.services.map(({ service, size, sealed_at }) => (
        <>
          <dt>{words.record}</dt>
          <dd>
            {words.recordOf(service, size)} <When at={sealed_at} />
          </dd>
        </>
      ))}
      {record && record.services.length > 0 && (
        <>
          <dt>{words.record}</dt>
          <dd>{record.agreed_at === null ? words.noneAgreed : words.agreed(record.agreeing)}</dd>
        </>
      )}
      <dt>{words.since}</dt>
      <dd>
        <When at={now.started_at} />
      </dd>
      <dt>{words.version}</dt>
      <dd>{now.version}</dd>
      <dt>{words.memory}</dt>
      <dd>{words.memoryOf(now.memory_mib)}</dd>
      <dt>{words.load}</dt>
      <dd>{now.load.join(", ")}</dd>
    </dl>
  );
}
