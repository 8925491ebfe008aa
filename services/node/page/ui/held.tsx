/**
 * Results that wait for the owner.
 * @module
 */
import { Plain } from "../../../page/parts/plain.tsx";
import { Show } from "../../../page/parts/loading.tsx";
import { When } from "../../../page/parts/time.tsx";
import { to } from "../../../page/routes.ts";
import { heldList, type HeldResult } from "../contract.ts";
import { AskedBy, Mark, RunName, sizeText, useFresh, WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.held;

export function HeldScreen() {
  const asked = useFresh((signal) => ask("held", heldList, { signal }));
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <Show asked={asked}>
        {({ held }) =>
          held.length === 0 ? <p role="status">{words.nothing}</p> : (
            <>
              <p>{words.intro}</p>
              <section class="card">
                <Table held={held} />
              </section>
            </>
          )}
      </Show>
    </>
  );
}

function Table({ held }: { held: readonly HeldResult[] }) {
  const { run } = texts;
  const columns = [run.run, words.since, run.askedBy, run.algorithm, `#${words.size}`, words.why];
  return (
    <WideTable caption={words.title} columns={columns}>
      {held.map((one) => (
        <tr key={`${one.result_id}-${one.attempt}`}>
          <td>
            <a
              href={to("held", one.result_id, one.attempt)}
              aria-label={words.look(one.result_id)}
            >
              {one.result_id}
            </a>
            <span class="quiet">{run.task(one.task_id)}</span>
          </td>
          <td>
            <When at={one.since} />
          </td>
          <td>
            <AskedBy {...one} />
          </td>
          <td class="wide">
            <Plain text={one.image} />
            {one.method !== null && (
              <span class="quiet">
                <Plain text={one.method} />
              </span>
            )}
          </td>
          <td class="number">{sizeText(one.size)}</td>
          <td class="wide">
            {one.decision && <Decided note={one} />}
            <Plain text={one.why} />
          </td>
        </tr>
      ))}
    </WideTable>
  );
}

/** What was decided, while the agent has not done it yet. */
export function Decided({ note: { decision } }: { note: HeldResult }) {
  if (!decision) return null;
  const { is, by, reason } = decision;
  return (
    <Mark tone={is === "release" ? "good" : "bad"}>
      {words.decided[is]} <Plain text={words.by(by)} />: <Plain text={reason} />
    </Mark>
  );
}

/** What is known of one of them. */
export function AboutHeld({ note }: { note: HeldResult }) {
  const { run } = texts;
  return (
    <dl class="facts">
      <dt>{words.why}</dt>
      <dd>
        <Plain text={note.why} />
      </dd>
      {note.ended !== null && (
        <>
          <dt>{words.ended}</dt>
          <dd>
            <Plain text={note.ended} />
          </dd>
        </>
      )}
      <dt>{run.askedBy}</dt>
      <dd>
        <AskedBy {...note} />
      </dd>
      <dt>{run.run}</dt>
      <dd>
        <RunName {...note} />
      </dd>
      <dt>{run.algorithm}</dt>
      <dd>
        <Plain text={note.image} />
      </dd>
      <dt>{run.method}</dt>
      <dd>{note.method === null ? run.unknown : <Plain text={note.method} />}</dd>
      <dt>{run.code}</dt>
      <dd>{note.code === null ? run.unknown : <code>{note.code}</code>}</dd>
      <dt>{run.databases}</dt>
      <dd>{note.databases.length === 0 ? run.none : <Plain text={note.databases.join(", ")} />}</dd>
      <dt>{words.since}</dt>
      <dd>
        <When at={note.since} />
      </dd>
      <dt>{words.size}</dt>
      <dd>{sizeText(note.size)}</dd>
      <dt>{words.digest}</dt>
      <dd>
        <code>{note.sha256}</code>
      </dd>
    </dl>
  );
}
