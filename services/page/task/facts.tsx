/**
 * Who asked, for what, with which code, on which databases.
 * @module
 */
import type { ComponentChildren } from "preact";
import type { Task } from "../../../shared/contract/task.ts";
import { collaborationNames, organizationNames, studyNames } from "../names/names.ts";
import { useAsked } from "../parts/loading.tsx";
import { durationText } from "../parts/moment.ts";
import { Plain } from "../parts/plain.tsx";
import { When } from "../parts/time.tsx";
import { to } from "../routes.ts";
import { client } from "../session/session.ts";
import { texts } from "../texts.ts";
import { type Family, ownRuns } from "./family.ts";

const words = texts.task;

export function Facts({ family }: { family: Family }) {
  const { task } = family;
  return (
    <section class="card">
      <h2>{words.facts}</h2>
      <dl class="facts">
        {task.description && (
          <Fact name={words.description}>
            <Plain text={task.description} lines />
          </Fact>
        )}
        <Fact name={words.asked}>
          <Asker task={task} />
        </Fact>
        <Fact name={words.collaboration}>
          <Plain text={collaborationNames.of(task.collaboration.id)} />
        </Fact>
        {task.study && (
          <Fact name={words.study}>
            <Plain text={studyNames.of(task.study.id)} />
          </Fact>
        )}
        {task.parent && (
          <Fact name={words.parent}>
            <a href={to("tasks", task.parent.id)}>{texts.names.task(task.parent.id)}</a>
          </Fact>
        )}
        <Fact name={words.created}>
          <When at={task.created_at} />
        </Fact>
        {task.finished_at && (
          <Fact name={words.finished}>
            <When at={task.finished_at} />
          </Fact>
        )}
        <Fact name={words.image}>
          <code>
            <Plain text={task.image} />
          </code>
        </Fact>
        <Fact name={words.code}>
          <Codes family={family} />
        </Fact>
        <Fact name={words.databases}>
          <Databases task={task} />
        </Fact>
        {task.timeout_seconds !== null && (
          <Fact name={words.timeLimit}>{durationText(task.timeout_seconds * 1000)}</Fact>
        )}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Those who may not see the user read the number. */
function Asker({ task }: { task: Task }) {
  const { value } = useAsked(
    (signal) => client.users.get(task.init_user.id, { signal }),
    [task.init_user.id],
  );
  return (
    <>
      <Plain text={value?.username ?? texts.names.user(task.init_user.id)} /> {words.of}{" "}
      <Plain text={organizationNames.of(task.init_org.id)} />
    </>
  );
}

/** Which code ran: one digest, or, when sites differ, how many each. */
function Codes({ family }: { family: Family }) {
  const counts = new Map<string, number>();
  for (const { code } of ownRuns(family)) {
    if (code !== null) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  if (counts.size === 0) return <>{words.codeUnknown}</>;
  return (
    <ul class="bare">
      {[...counts].map(([code, howMany]) => (
        <li key={code}>
          <code>
            <Plain text={code} />
          </code>
          {counts.size > 1 && ` ${words.codeAt(howMany)}`}
        </li>
      ))}
    </ul>
  );
}

function Databases({ task: { databases } }: { task: Task }) {
  if (databases.length === 0) return <>{words.noDatabases}</>;
  return (
    <ul class="bare">
      {databases.map(({ label, parameters }, index) => (
        <li key={index}>
          <Plain text={label} />
          {parameters !== "{}" && (
            <>
              {" "}
              <code>
                <Plain text={parameters} />
              </code>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
