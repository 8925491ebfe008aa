/**
 * A task is written: which algorithm is called with what, where, and what is known to stand in its
 * way; then it is sent.
 * @module
 */
import { useState } from "preact/hooks";
import type { Collaboration } from "../../../shared/contract/collaboration.ts";
import { Choice } from "../parts/field.tsx";
import { Show, useAsked } from "../parts/loading.tsx";
import { place } from "../routes.ts";
import { client, type Me, me } from "../session/session.ts";
import { newTask as words } from "../texts/new_task.ts";
import { type Earlier, earlierTask } from "./earlier_task.ts";
import { sorted } from "./draft.ts";
import { TaskForm } from "./task_form.tsx";

export function Screen() {
  const from = place.value.query.get("from");
  const asked = useAsked(async (signal) => ({
    collaborations: await client.collaborations.list({}, { signal }).all(),
    earlier: from === null ? undefined : await earlierTask(Number(from), signal),
  }), [from]);
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <Show asked={asked}>
        {({ collaborations, earlier }) =>
          collaborations.length === 0
            ? <p>{words.noCollaboration}</p>
            : <InCollaboration key={from} all={collaborations} earlier={earlier} />}
      </Show>
    </>
  );
}

function InCollaboration(
  { all, earlier }: { all: Collaboration[]; earlier: Earlier | undefined },
) {
  const [id, setId] = useState(earlier?.collaborationId ?? all[0]!.id);
  const collaboration = all.find((one) => one.id === id) ?? all[0]!;
  const asked = useAsked(async (signal) => {
    const [algorithms, nodes, organizations, studies, stores] = await Promise.all([
      client.algorithms.list({ collaboration_id: id }, { signal }).all(),
      client.nodes.list({ collaboration_id: id }, { signal }).all(),
      client.organizations.list({ collaboration_id: id }, { signal }).all(),
      client.studies.list({ collaboration_id: id, include: "organizations" }, { signal }).all(),
      client.algorithmStores.list({ collaboration_id: id }, { signal }).all(),
    ]);
    const sites = organizations.map((organization) => ({
      organization,
      node: nodes.find((one) => one.organization.id === organization.id),
    }));
    return {
      collaboration,
      algorithms: sorted(algorithms),
      sites,
      studies,
      stores,
      me: me.value as Me,
    };
  }, [id]);
  return (
    <>
      {all.length > 1 && (
        <Choice
          label={words.collaboration}
          value={String(id)}
          onValue={(value) => setId(Number(value))}
          options={all.map((one) => [String(one.id), one.name])}
        />
      )}
      {earlier && (
        <p class="notice">
          {words.takenFrom(earlier.taskId)} {earlier.call === undefined && words.unreadable}
        </p>
      )}
      <Show asked={asked}>
        {(there) => (
          <TaskForm
            key={id}
            there={there}
            earlier={earlier?.collaborationId === id ? earlier : undefined}
          />
        )}
      </Show>
    </>
  );
}
