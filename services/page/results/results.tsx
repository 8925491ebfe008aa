/**
 * What came of a task, organization by organization: opened here, in the browser.
 * @module
 */
import { useState } from "preact/hooks";
import type { Organization } from "../../../shared/contract/organization.ts";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import { client } from "../session/session.ts";
import { isOver } from "../parts/status.tsx";
import { texts } from "../texts.ts";
import { Show, useAsked } from "../parts/loading.tsx";
import { descriptionFor } from "./description_for.ts";
import { isKeyGiven, KeyPanel } from "./key_panel.tsx";
import { NameContext, organizationNames } from "./organization_names.ts";
import { Share } from "./share.tsx";
import { SmallTable } from "./small_table.tsx";
import type { Opened } from "./worker/calls.ts";

const words = texts.results;

/** So many are opened at once; the others when they are asked for. */
const OPENED_AT_ONCE = 12;
/** With more than these, each is folded. */
const UNFOLDED = 3;
const PER_PAGE = 50;

export interface ResultsProps {
  task: Task;
  /** Of this task itself, without its subtasks. */
  runs: readonly RunWithTask[];
}

export function Results({ task, runs }: ResultsProps) {
  const asked = useAsked(
    (signal) => askForPlace(task, signal),
    [task.id, task.collaboration.id, task.image],
  );
  return (
    <section class="results" aria-labelledby="results-title">
      <h2 id="results-title">{words.title}</h2>
      <Show asked={asked}>{(place) => <Opening task={task} runs={runs} place={place} />}</Show>
    </section>
  );
}

interface Place {
  encrypted: boolean;
  organizations: Organization[];
  algorithms: Awaited<ReturnType<typeof askForAlgorithms>>;
}

async function askForPlace(task: Task, signal: AbortSignal): Promise<Place> {
  const [{ encrypted }, organizations, algorithms] = await Promise.all([
    client.collaborations.get(task.collaboration.id, { signal }),
    client.organizations.list({ collaboration_id: task.collaboration.id }, { signal }).all(),
    askForAlgorithms(task, signal),
  ]);
  return { encrypted, organizations, algorithms };
}

/** Who may not see what nodes tell, or whose nodes tell nothing, sees results without pictures. */
async function askForAlgorithms({ image, collaboration }: Task, signal: AbortSignal) {
  try {
    const filters = { collaboration_id: collaboration.id, image };
    return await client.algorithms.list(filters, { signal }).all();
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}

function isRunOver({ status }: RunWithTask): boolean {
  return isOver(status);
}

function Opening({ task, runs, place }: ResultsProps & { place: Place }) {
  const [opened, setOpened] = useState<ReadonlyMap<number, Opened>>(new Map());
  const [most, setMost] = useState(PER_PAGE);
  const finished = runs.filter(({ status }) => status === "completed");
  const { encrypted, organizations, algorithms } = place;
  const reader = organizations.find(({ id }) => id === task.init_org.id);
  const isClosed = encrypted && !isKeyGiven();
  const names = organizationNames(organizations);
  return (
    <NameContext.Provider value={names}>
      {encrypted && (
        <KeyPanel
          purpose="open"
          reader={{
            id: task.init_org.id,
            name: reader?.name ?? words.organization(task.init_org.id),
          }}
          organizations={organizations}
        />
      )}
      {finished.length === 0 && <p>{runs.every(isRunOver) ? words.noneAtAll : words.none}</p>}
      {!isClosed && (
        <>
          <SmallTable taskId={task.id} runs={finished} opened={opened} />
          {finished.slice(0, most).map((run, index) => (
            <Share
              key={`${run.id} ${run.attempt}`}
              task={task}
              run={run}
              encrypted={encrypted}
              description={descriptionFor(run, algorithms)}
              isAlone={runs.length === 1}
              isUnfolded={finished.length <= UNFOLDED}
              isOpenedAtOnce={index < OPENED_AT_ONCE}
              onOpened={(id, one) => setOpened((before) => new Map([...before, [id, one]]))}
            />
          ))}
          {finished.length > most && (
            <button type="button" onClick={() => setMost(most + PER_PAGE)}>
              {words.moreOrganizations(finished.length - most)}
            </button>
          )}
        </>
      )}
    </NameContext.Provider>
  );
}
